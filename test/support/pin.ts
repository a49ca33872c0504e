// Which CPUs a process may use, so that a client and the server that it measures do not take each other's.
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';

/** All threads of the process; those that it starts later inherit it. Does nothing on a machine with one CPU. */
export async function pin(pid: number, cpu: number): Promise<void> {
  if (availableParallelism() < 2) return;
  await promisify(execFile)('taskset', ['--all-tasks', '--cpu-list', '--pid', String(cpu), String(pid)]);
}
