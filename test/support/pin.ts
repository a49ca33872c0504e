// Sets the CPUs and the priority of a process, so that other processes disturb a measurement less.
import { execFile } from 'node:child_process';
import { availableParallelism, setPriority } from 'node:os';
import { promisify } from 'node:util';

/** All threads of the process; those that it starts later inherit it. Does nothing on a machine with one CPU. */
export async function pin(pid: number, cpu: number): Promise<void> {
  if (availableParallelism() < 2) return;
  await promisify(execFile)('taskset', ['--all-tasks', '--cpu-list', '--pid', String(cpu), String(pid)]);
}

const BEFORE_OTHERS = -10;

/** Raises the priority of this process, and of processes that it starts later, if that is allowed (to root). */
export function goFirst(): void {
  try {
    setPriority(BEFORE_OTHERS);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SYSTEM_ERROR') throw error;
  }
}
