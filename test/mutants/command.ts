// A command with a limit on its CPU time, its output and its children.
import { spawn } from 'node:child_process';

export interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly timedOut: boolean;
}

/** SIGXCPU at the limit, and SIGKILL if that is caught. */
const OUT_OF_CPU: ReadonlySet<string | null> = new Set(['SIGXCPU', 'SIGKILL']);
/** On a busy machine, a command may wait for the CPU this many times as long as it may use it. */
const WALL_PER_CPU = 3;

/**
 * `timeoutMs`: of CPU time, for each of its processes. A mutant with an endless loop uses it up, however busy the
 * machine is.
 */
export function run(program: string, args: readonly string[], cwd: string, timeoutMs: number): Promise<Ended> {
  return new Promise((resolve, reject) => {
    // A separate process group, so that a time-out ends the command's children, too.
    const limit = `--cpu=${Math.ceil(timeoutMs / 1_000)}`;
    const child = spawn('prlimit', [limit, program, ...args], {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const killGroup = (): void => {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {
        // The process has ended.
      }
    };
    const chunks: Buffer[] = [];
    let timedOut = false;
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup();
    }, WALL_PER_CPU * timeoutMs);
    process.once('exit', killGroup);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      process.off('exit', killGroup);
      resolve({ code, output: Buffer.concat(chunks).toString('utf8'), timedOut: timedOut || OUT_OF_CPU.has(signal) });
    });
  });
}
