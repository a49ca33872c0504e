// Runs `npx tandem` once in this process.
import { CommanderError } from 'commander';
import { routerAddress } from '../config/client.ts';
import { wantsJson } from './base-program.ts';
import type { GlobalOptions } from './client.ts';
import { tandemProgram } from './program.ts';

/** Runs the command line, prints the result and sets the exit code. Never rejects. */
export async function runTandem(words: readonly string[]): Promise<void> {
  let address = routerAddress();
  try {
    const program = await tandemProgram(words);
    program.hook('preAction', () => {
      address = program.opts<GlobalOptions>().address;
    });
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    // --help and --version also end with an exception.
    if (error instanceof CommanderError && error.exitCode === 0) return;
    const { failWith } = await import('./errors.ts');
    failWith(error, address, wantsJson(words));
  }
}
