import { Command } from 'commander';
import { PingResponse, ReasoningServiceClient } from '../generated/tandem/v1/reasoning.ts';
import { type GlobalOptions, call, print } from './client.ts';

export function pingCommand(): Command {
  return new Command('ping')
    .addHelpText('after', '\nExample: npx tandem ping --address 10.0.0.7:50051')
    .action(async (_options: unknown, command: Command) => {
      const startedMs = performance.now();
      const response = await call(command, ReasoningServiceClient, (client) => client.ping, {});
      const tookMs = performance.now() - startedMs;
      const { address } = command.optsWithGlobals<GlobalOptions>();
      print(
        command,
        { ...(PingResponse.toJSON(response) as object), address, roundTripMs: tookMs },
        () => `${response.message} from ${address} in ${tookMs.toFixed(1)} ms, connecting included`,
      );
    });
}
