// `npx tandem` as a tree of commands. One file a command.
import { Command } from 'commander';
import { routerAddress } from '../config/client.ts';
import { milliseconds } from './arguments.ts';
import { batchCommand } from './batch.ts';
import { completionCommand } from './completion.ts';
import { configCommand } from './config.ts';
import { enginesCommand } from './engines.ts';
import { EXIT_CODES } from './errors.ts';
import { eventsCommand } from './events.ts';
import { metricsCommand } from './metrics.ts';
import { modelsCommand } from './models.ts';
import { pingCommand } from './ping.ts';
import { publishCommand } from './publish.ts';
import { reasonCommand } from './reason.ts';
import { replayCommand } from './replay.ts';
import { streamCommand } from './stream.ts';
import { voteCommand } from './vote.ts';

export function tandemProgram(): Command {
  const program = new Command('tandem')
    .description('Asks a Tandem router.')
    .option('-a, --address <host:port>', 'the router (also TANDEM_ADDRESS)', routerAddress())
    .option('--timeout-ms <n>', 'give up after this many milliseconds', milliseconds, 10_000)
    .option('--json', 'print JSON for programs', false)
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText(
      'after',
      `
Exit codes: ${EXIT_CODES}

Examples: npx tandem reason --sample dog
          npx tandem batch inputs.jsonl --json > answers.jsonl
          npx tandem engines`,
    )
    .addCommand(pingCommand())
    .addCommand(reasonCommand())
    .addCommand(voteCommand())
    .addCommand(batchCommand())
    .addCommand(streamCommand())
    .addCommand(modelsCommand())
    .addCommand(enginesCommand())
    .addCommand(metricsCommand())
    .addCommand(eventsCommand())
    .addCommand(publishCommand())
    .addCommand(replayCommand())
    .addCommand(configCommand())
    .addCommand(completionCommand());
  inherit(program);
  return program;
}

/** Commands that were made on their own behave as the program does: errors are thrown, and followed by a hint. */
function inherit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inherit(child);
  }
}
