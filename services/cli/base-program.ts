// Shared by all commands of `npx tandem`: options, help, and errors as exceptions.
import { Command } from 'commander';
import { adminOption, clientOption, routerAddress } from '../config/client.ts';
import { packageVersion } from '../core/package-version.ts';
import { milliseconds } from './arguments.ts';
import { EXIT_CODES } from './exit-codes.ts';

/** `words`: of the command line. With --json, errors are only thrown, and the caller prints them. */
export function baseProgram(words: readonly string[]): Command {
  const program = new Command('tandem')
    .description('Asks a Tandem router.')
    .version(packageVersion(), '-V, --version', 'print the version of this client')
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
    .option('--json', 'print JSON for programs, errors too', false)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .addHelpText(
      'after',
      `
Exit codes: ${EXIT_CODES}

Examples: npx tandem reason --sample dog
          npx tandem batch inputs.jsonl --json > answers.jsonl
          npx tandem engines`,
    );
  return wantsJson(words)
    ? program.configureOutput({ outputError: () => undefined })
    : program.showHelpAfterError('(see --help)');
}

/** Adds a command that behaves like the program: errors are thrown and followed by a hint. */
export function adopt(program: Command, command: Command): void {
  program.addCommand(command);
  inherit(program, command);
}

function inherit(parent: Command, command: Command): void {
  command.copyInheritedSettings(parent).exitOverride();
  for (const child of command.commands) inherit(command, child);
}

/** Works even if they cannot be parsed. */
export function wantsJson(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end < 0 ? words.length : end).includes('--json');
}
