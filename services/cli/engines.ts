import { Command } from 'commander';
import {
  EngineAdminServiceClient,
  EngineState,
  type EngineStatus,
  ListEnginesResponse,
} from '../generated/tandem/v1/engines.ts';
import { EngineKind } from '../generated/tandem/v1/types.ts';
import { call, print } from './client.ts';
import { table } from './table.ts';

const HEAD = ['ENGINE', 'KIND', 'ADDRESS', 'STATE', 'MODELS', 'IN FLIGHT', 'ANSWERED', 'FAILED', 'MEAN MS', 'BUILD'];

export function enginesCommand(): Command {
  return new Command('engines').description('the engine pool').action(async (_options: unknown, command: Command) => {
    const response = await call(command, EngineAdminServiceClient, (client) => client.listEngines, {});
    print(command, ListEnginesResponse.toJSON(response), () => {
      const why = response.engines.filter((engine) => engine.stateReason !== '');
      return [
        table(HEAD, response.engines.map(row)),
        ...why.map((engine) => `${engine.id}: ${engine.stateReason}`),
      ].join('\n');
    });
  });
}

function row(engine: EngineStatus): (string | number)[] {
  return [
    engine.id,
    engine.kind === EngineKind.ENGINE_KIND_LOCAL ? 'local' : 'sidecar',
    engine.address,
    engine.state === EngineState.ENGINE_STATE_READY ? 'ready' : 'down',
    engine.models.join(' ') || '-',
    engine.inFlight,
    Number(engine.succeeded),
    Number(engine.failed),
    Number(engine.latencyMs.toFixed(2)),
    engine.build,
  ];
}
