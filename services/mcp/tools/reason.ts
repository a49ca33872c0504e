import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { ReasoningServiceClient } from '../../generated/tandem/v1/reasoning.ts';
import type { RouterConnection } from '../router-connection.ts';
import { conclusionFields, toConclusion } from './conclusion.ts';
import { inputFields, toRequest } from './input.ts';
import { READ_ONLY, structured } from './tool.ts';

export function addReason(server: McpServer, router: RouterConnection): void {
  server.registerTool(
    'reason',
    {
      title: 'Classify one input',
      description: 'Ask a model what one input means. Returns the label, its confidence, and how far it was checked.',
      inputSchema: z.strictObject(inputFields),
      outputSchema: z.object(conclusionFields),
      annotations: READ_ONLY,
    },
    async (input, { mcpReq }) => {
      const request = toRequest(input);
      const response = await router.call(ReasoningServiceClient, (client) => client.reason, request, mcpReq.signal);
      return structured(toConclusion(response));
    },
  );
}
