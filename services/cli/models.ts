import { Command } from 'commander';
import { hex64 } from '../core/hex.ts';
import { ListModelsResponse, type Model, ModelServiceClient, modelStateToJSON } from '../generated/tandem/v1/models.ts';
import { call, print } from './client.ts';
import { addCommand, goldenCommand, loadCommand, unloadCommand } from './models-change.ts';
import { importCommand } from './models-import.ts';
import { table } from './table.ts';

const HEAD = ['MODEL', 'VERSION', 'STATE', 'INPUT', 'OUTPUTS', 'STEPS', 'DT S', 'PARAMETERS', 'MODEL ID', 'ENGINES'];

export function modelsCommand(): Command {
  return new Command('models')
    .addHelpText('after', '\nExample: npx tandem models --json')
    .addCommand(addCommand())
    .addCommand(loadCommand())
    .addCommand(unloadCommand())
    .addCommand(goldenCommand())
    .addCommand(importCommand())
    .action(async (_options: unknown, command: Command) => {
      const response = await call(command, ModelServiceClient, (client) => client.listModels, {});
      print(command, ListModelsResponse.toJSON(response), () => {
        const broken = response.models.filter((model) => model.error !== '');
        return [
          table(
            HEAD,
            response.models.map((model) => row(model, response.defaultModel)),
          ),
          ...broken.map((model) => `${model.name}/${model.version} cannot be used: ${model.error}`),
          ...response.models.flatMap(({ name, version, problems }) =>
            problems.map(({ engineId, why }) => `${name}/${version} is not served by ${engineId}: ${why}`),
          ),
        ].join('\n');
      });
    });
}

function row(model: Model, defaultModel: string): (string | number)[] {
  return [
    model.name === defaultModel ? `${model.name} (default)` : model.name,
    model.isLatest ? `${model.version} (latest)` : model.version,
    model.error ? 'broken' : modelStateToJSON(model.state).replace('MODEL_STATE_', '').toLowerCase().replace('_', ' '),
    `${model.takesText ? 'text, ' : ''}${model.inputKind} [${model.inputShape.join(', ')}]`,
    model.outputSize,
    model.steps,
    model.dt,
    Number(model.parameters),
    model.error ? '-' : hex64(model.modelId),
    model.engineIds.join(' ') || '-',
  ];
}
