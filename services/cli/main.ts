#!/usr/bin/env node
// `npx tandem`: the command-line client.
import { CommanderError } from 'commander';
import { routerAddress } from '../config/client.ts';
import type { GlobalOptions } from './client.ts';
import { wantsJson } from './base-program.ts';
import { tandemProgram } from './program.ts';

// The reader of the output may stop early, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

const words = process.argv.slice(2);
let address = routerAddress();
try {
  const program = await tandemProgram(words);
  program.hook('preAction', () => (address = program.opts<GlobalOptions>().address));
  await program.parseAsync();
} catch (error) {
  // --help and --version end with an error, too.
  if (!(error instanceof CommanderError && error.exitCode === 0)) {
    const { failWith } = await import('./errors.ts');
    failWith(error, address, wantsJson(words));
  }
}
