// What all commands of `npx tandem` share: options, help, and errors that are thrown.
import { Command } from 'commander';
import { adminOption, clientOption, routerAddress } from '../config/client.ts';
import { milliseconds } from './arguments.ts';
import { EXIT_CODES } from './exit-codes.ts';

export function programOf(commands: readonly Command[]): Command {
  const program = new Command('tandem')
    .description('Asks a Tandem router.')
    .option('-a, --address <host:port>', 'the router (also TANDEM_ADDRESS)', routerAddress())
    .option(
      '--admin <address>',
      'where administrative calls go: "unix:PATH" or host:port; usually found (also TANDEM_ADMIN_LISTEN)',
      adminOption(),
    )
    .option('--timeout-ms <n>', 'give up after this many milliseconds', milliseconds, 10_000)
    .option('--ca <file>', 'use TLS, and trust the CAs of this PEM file (also TANDEM_CLIENT_CA)', clientOption('CA'))
    .option('--cert <file>', 'the client certificate to present, PEM (also TANDEM_CLIENT_CERT)', clientOption('CERT'))
    .option('--key <file>', 'its private key, PEM (also TANDEM_CLIENT_KEY)', clientOption('KEY'))
    .option('--token <token>', 'the bearer token that says who calls (also TANDEM_CLIENT_TOKEN)', clientOption('TOKEN'))
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
    );
  for (const command of commands) program.addCommand(command);
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
