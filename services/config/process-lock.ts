// A lock file: only one process at a time uses a file or a folder. The lock of a process that has ended is free, also if
// the system gave its number to another process.
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readRegularFile } from './regular-file.ts';

const MAX_LOCK_BYTES = 100;
const MAX_ATTEMPTS = 5;
/** Of /proc/PID/stat, after the name: when the process started, in clock ticks since boot (proc(5)). */
const START_FIELD = 19;

export interface ProcessLock {
  /** Number of the process that holds the lock; 0: this lock is ours. */
  readonly heldBy: number;
  release(): void;
}

/**
 * The lock is the file `path`.lock. If it cannot be written, as in a read-only folder, the lock is ours without a file: no
 * other process can write there either.
 */
export function lockForProcess(path: string): ProcessLock {
  const file = `${path}.lock`;
  const own = `${file}.${process.pid}`;
  const token = `${process.pid} ${startOf(process.pid) ?? ''}`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(own, token);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      if (linked(own, file)) return { heldBy: 0, release: () => release(file, token) };
      const holder = runningHolder(file);
      if (holder !== 0) return { heldBy: holder, release: () => undefined };
      remove(file);
    }
  } catch {
    // It cannot be written.
  } finally {
    remove(own);
  }
  return { heldBy: 0, release: () => undefined };
}

/** Links are made whole or not at all, so nobody reads a part of a lock file. Returns false if the file exists. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** 0: the process that holds the lock has ended, or the file is damaged. */
function runningHolder(file: string): number {
  const [, pid = '', start = ''] = /^(\d{1,10}) (\d*)$/.exec(contentOf(file)) ?? [];
  const number = Number(pid);
  return pid !== '' && isRunning(number) && (startOf(number) ?? '') === start ? number : 0;
}

function contentOf(file: string): string {
  try {
    return readRegularFile(file, MAX_LOCK_BYTES).toString();
  } catch {
    return '';
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It runs as another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Undefined: the system does not say. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .at(START_FIELD);
  } catch {
    return undefined;
  }
}

function release(file: string, token: string): void {
  if (contentOf(file) === token) remove(file);
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // It stays; the end of this process frees it.
  }
}
