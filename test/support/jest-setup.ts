// Before the first test of a run: creates one temporary folder for all tests, which jest-teardown.ts removes with
// everything in it. TMPDIR gives it to os.tmpdir() and to the processes of tests.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Short, because the path of a Unix socket has 107 bytes at most. */
const FOLDER = /^tandem-run-(\d+)$/;

export const FOLDER_NAME = `tandem-run-${process.pid}`;

export default function makeTemporaryFolder(): void {
  removeAbandoned();
  const folder = join(tmpdir(), FOLDER_NAME);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  process.env['TMPDIR'] = folder;
}

/** Removes the folders of runs that were killed. */
function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = FOLDER.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
