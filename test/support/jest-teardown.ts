// After the last test of a run: removes the temporary folder that jest-setup.ts made.
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname } from 'node:path';
import { FOLDER_NAME } from './jest-setup.ts';

export default function removeTemporaryFolder(): void {
  const folder = tmpdir();
  if (basename(folder) !== FOLDER_NAME) return;
  rmSync(folder, { recursive: true, force: true });
  process.env['TMPDIR'] = dirname(folder);
}
