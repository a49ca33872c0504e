#!/usr/bin/env node
// `npx tandem`: the command-line client. One file a command.
import { Command } from 'commander';
import { routerAddress } from '../config/client.ts';
import type { GlobalOptions } from './client.ts';
import { enginesCommand } from './engines.ts';
import { failWith } from './errors.ts';
import { modelsCommand } from './models.ts';
import { pingCommand } from './ping.ts';
import { reasonCommand } from './reason.ts';

const program = new Command('tandem')
  .description('Asks a Tandem router.')
  .option('-a, --address <host:port>', 'the router (also TANDEM_ADDRESS)', routerAddress())
  .option('--timeout-ms <n>', 'give up after this many milliseconds', Number, 10_000)
  .option('--json', 'print JSON for programs', false)
  .configureHelp({ showGlobalOptions: true })
  .showHelpAfterError('(--help shows what there is)')
  .addHelpText(
    'after',
    `
Exit codes: 0 answered · 1 the router refused or failed · 2 wrong usage · 3 no router at the address

Example: npx tandem reason --sample dog`,
  )
  .exitOverride()
  .addCommand(pingCommand())
  .addCommand(reasonCommand())
  .addCommand(modelsCommand())
  .addCommand(enginesCommand());

for (const command of program.commands) command.exitOverride().copyInheritedSettings(program);

program.parseAsync().catch((error: unknown) => failWith(error, program.opts<GlobalOptions>().address));
