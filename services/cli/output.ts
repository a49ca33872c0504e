// Writes to standard output with backpressure.
import { once } from 'node:events';
import { visibleLines } from '../core/visible.ts';

/** Resolves when there is room for more. */
export async function write(text: string): Promise<void> {
  if (!process.stdout.write(visibleLines(text))) await once(process.stdout, 'drain');
}
