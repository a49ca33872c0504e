import { Argument, Command } from 'commander';
import {
  DrainEngineResponse,
  EngineAdminServiceClient,
  type EngineStatus,
  ListEnginesResponse,
  ReadmitEngineResponse,
  RegisterEngineResponse,
  RemoveEngineResponse,
  SetStrategyResponse,
} from '../generated/tandem/v1/engines.ts';
import { type Strategy, strategyFromJSON, strategyToJSON } from '../generated/tandem/v1/types.ts';
import { call, callAdmin, print } from './client.ts';
import { describeEngines } from './engines-text.ts';
import { STRATEGIES } from './request-options.ts';
import { bare } from './words.ts';

const ID = 'its name, as "tandem engines" shows it';

export function enginesCommand(): Command {
  return (
    new Command('engines')
      .addHelpText(
        'after',
        `
Without a command: a table of the pool. Changes are made by the router's own user, on its machine, or by a caller with role
operate. The router forgets them when it restarts.

Examples: npx tandem engines
          npx tandem engines drain engine-1
          npx tandem engines strategy FASTEST`,
      )
      // Only for a clear error: an unknown command.
      .argument('[command...]')
      .usage('[options] [command]')
      .action(async ([unknown]: readonly string[], _options: unknown, command: Command) => {
        if (unknown !== undefined) command.error(`error: unknown command '${unknown}'`);
        const response = await call(command, EngineAdminServiceClient, (client) => client.listEngines, {});
        print(command, ListEnginesResponse.toJSON(response), () =>
          [
            describeEngines(response.engines, response.nameProblems),
            '',
            `strategy ${strategyName(response.strategy)}`,
          ].join('\n'),
        );
      })
      .addCommand(registerCommand())
      .addCommand(removeCommand())
      .addCommand(drainCommand())
      .addCommand(readmitCommand())
      .addCommand(strategyCommand())
  );
}

function registerCommand(): Command {
  return new Command('register')
    .description('connects to one more sidecar, and keeps trying while it is away')
    .argument('<id>', 'a name for it, unique in the deployment')
    .argument('<address>', 'where it listens, such as 10.0.0.7:50061 or unix:///run/tandem/engine-1.sock')
    .addHelpText('after', '\nExample: npx tandem engines register engine-9 10.0.0.7:50061')
    .action(async (engineId: string, address: string, _options: unknown, command: Command) => {
      const request = { engineId, address };
      const response = await callAdmin(command, EngineAdminServiceClient, (client) => client.registerEngine, request);
      print(command, RegisterEngineResponse.toJSON(response), () => changed(`${engineId} is in the pool.`, response));
    });
}

function removeCommand(): Command {
  return new Command('remove')
    .description('drains an engine and forgets it; its process goes on')
    .argument('<id>', ID)
    .addHelpText('after', '\nExample: npx tandem engines remove engine-9')
    .action(async (engineId: string, _options: unknown, command: Command) => {
      const response = await callAdmin(command, EngineAdminServiceClient, (client) => client.removeEngine, {
        engineId,
      });
      print(command, RemoveEngineResponse.toJSON(response), () =>
        changed(`${engineId} is forgotten. As it was when it left:`, response),
      );
    });
}

function drainCommand(): Command {
  return new Command('drain')
    .description('sends an engine no more requests; what it has in flight is finished')
    .argument('<id>', ID)
    .addHelpText('after', '\nExample: npx tandem engines drain engine-1')
    .action(async (engineId: string, _options: unknown, command: Command) => {
      const response = await callAdmin(command, EngineAdminServiceClient, (client) => client.drainEngine, { engineId });
      const left = response.engine?.inFlight ?? 0;
      print(command, DrainEngineResponse.toJSON(response), () =>
        changed(`${engineId} is sent no more requests; it still has ${left} to finish.`, response),
      );
    });
}

function readmitCommand(): Command {
  return new Command('readmit')
    .description('takes back a drained engine')
    .argument('<id>', ID)
    .addHelpText('after', '\nExample: npx tandem engines readmit engine-1')
    .action(async (engineId: string, _options: unknown, command: Command) => {
      const response = await callAdmin(command, EngineAdminServiceClient, (client) => client.readmitEngine, {
        engineId,
      });
      print(command, ReadmitEngineResponse.toJSON(response), () =>
        changed(`${engineId} is sent requests again.`, response),
      );
    });
}

function strategyCommand(): Command {
  return new Command('strategy')
    .description('the strategy of requests that name none, until the router restarts')
    .addArgument(new Argument('<name>', 'the new one').choices(STRATEGIES))
    .addHelpText('after', '\nExample: npx tandem engines strategy FASTEST')
    .action(async (name: string, _options: unknown, command: Command) => {
      const request = { strategy: strategyFromJSON(`STRATEGY_${name}`) };
      const response = await callAdmin(command, EngineAdminServiceClient, (client) => client.setStrategy, request);
      print(
        command,
        SetStrategyResponse.toJSON(response),
        () => `strategy ${name}, before ${strategyName(response.previous)}`,
      );
    });
}

function changed(what: string, { engine }: { engine: EngineStatus | undefined }): string {
  return engine ? `${what}\n\n${describeEngines([engine])}` : what;
}

function strategyName(strategy: Strategy): string {
  return bare(strategyToJSON(strategy), 'STRATEGY_');
}
