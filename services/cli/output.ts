// Standard output at the reader's pace.
import { once } from 'node:events';

/** Resolves when there is room for more. */
export async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}
