import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { type ListModelsRequest, ModelServiceClient } from '../../generated/tandem/v1/models.ts';
import type { RouterConnection } from '../router-connection.ts';
import { READ_ONLY, structured } from './tool.ts';

const modelSchema = z.object({
  name: z.string(),
  version: z.int(),
  input_shape: z.array(z.int()).describe('Shape of one input step.'),
  input_kind: z.string().describe('constant: one input. series: a row for each step.'),
  takes_text: z.boolean().describe('Whether it takes text as an input.'),
  labels: z.array(z.string()),
  engines: z.array(z.string()).describe('Engines that hold it.'),
  error: z.string().describe('Why it cannot be used. Empty: it can.'),
});

export function addModels(server: McpServer, router: RouterConnection): void {
  server.registerTool(
    'models',
    {
      title: 'List models',
      description: 'List the models, what each takes, its labels, and the engines that hold it.',
      inputSchema: z.strictObject({}),
      outputSchema: z.object({
        default_model: z.string().describe('The model of requests that name none.'),
        models: z.array(modelSchema),
      }),
      annotations: READ_ONLY,
    },
    async (_input, { mcpReq }) => {
      const request: ListModelsRequest = {};
      const response = await router.call(ModelServiceClient, (client) => client.listModels, request, mcpReq.signal);
      return structured({
        default_model: response.defaultModel,
        models: response.models.map(
          ({ name, version, inputShape, inputKind, labels, engineIds, error, takesText }) => ({
            ...{
              name,
              version,
              labels,
              error,
              input_shape: inputShape,
              input_kind: inputKind,
              engines: engineIds,
              takes_text: takesText,
            },
          }),
        ),
      });
    },
  );
}
