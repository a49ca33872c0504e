// One call of `npx tandem` in this process.
import { CommanderError } from 'commander';
import { routerAddress } from '../config/client.ts';
import { wantsJson } from './base-program.ts';
import type { GlobalOptions } from './client.ts';
import { tandemProgram } from './program.ts';

/** Does what the words say, prints what comes of it, and sets the exit code. Never rejects. */
export async function runTandem(words: readonly string[]): Promise<void> {
  let address = routerAddress();
  try {
    const program = await tandemProgram(words);
    program.hook('preAction', () => {
      address = program.opts<GlobalOptions>().address;
    });
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    // --help and --version end with an error, too.
    if (error instanceof CommanderError && error.exitCode === 0) return;
    const { failWith } = await import('./errors.ts');
    failWith(error, address, wantsJson(words));
  }
}
