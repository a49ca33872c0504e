import { Command } from 'commander';
import { EventServiceClient, SubscribeResponse } from '../generated/tandem/v1/events.ts';
import { visibleJson } from '../core/visible.ts';
import { wholeNumber } from './arguments.ts';
import type { GlobalOptions } from './client.ts';
import { eventLine } from './events-text.ts';
import { follow } from './follow.ts';

interface Options {
  readonly topic?: readonly string[];
  readonly after?: number;
}

export function eventsCommand(): Command {
  return new Command('events')
    .option('-t, --topic <name>', 'only this topic, such as engine or "user.*"; may be repeated', collect)
    .option(
      '--after <sequence>',
      'first print stored events after this number; 0: all',
      wholeNumber(0, Number.MAX_SAFE_INTEGER),
    )
    .addHelpText(
      'after',
      `
Topics of the router: engine, breaker, quarantine, dispute, model, alert, config, security, session. Users’ begin with "user.".

Examples: npx tandem events --after 0
          npx tandem events --topic engine --topic "user.*" --json`,
    )
    .action(async ({ topic = [], after }: Options, command: Command) => {
      const { json } = command.optsWithGlobals<GlobalOptions>();
      if (after === undefined) process.stderr.write('Events from now on; with --after 0 also those before.\n');
      await follow(command, {
        open: (...to) => new EventServiceClient(...to),
        call: (client) =>
          client.subscribe({
            topics: [...topic],
            instance: '',
            afterSequence: after === undefined ? undefined : BigInt(after),
          }),
        show: (response: SubscribeResponse) => {
          const line = json ? visibleJson(JSON.stringify(SubscribeResponse.toJSON(response))) : eventLine(response);
          if (line !== undefined) process.stdout.write(`${line}\n`);
        },
      });
    });
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
