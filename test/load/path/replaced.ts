// The design that Tandem replaces, one request at a time: see replaced.py.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { pin } from '../../support/pin.ts';
import { cpuUs, rssBytes } from '../../support/proc.ts';
import type { Figures } from './measure.ts';

interface Replaced {
  measure(seconds: number): Promise<Figures>;
  stop(): Promise<void>;
}

const PROGRAM = join(import.meta.dirname, 'replaced.py');
const SERVER_CPU = 0;
const CLIENT_CPU = '1';

export async function startReplaced(): Promise<Replaced> {
  const child = spawn('python3', [PROGRAM, 'server'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const pid = child.pid!;
  await pin(pid, SERVER_CPU);
  return {
    measure: async (seconds) => {
      const before = cpuUs(pid);
      const command = ['--cpu-list', CLIENT_CPU, 'python3', PROGRAM, 'client', port, String(seconds)];
      const { stdout } = await promisify(execFile)('taskset', command);
      const printed = JSON.parse(stdout) as Record<'calls' | 'calls_per_s' | 'p50_us' | 'p99_us' | 'p999_us', number>;
      return {
        callsPerS: printed.calls_per_s,
        p50Us: printed.p50_us,
        p99Us: printed.p99_us,
        p999Us: printed.p999_us,
        cpuUs: (cpuUs(pid) - before) / printed.calls,
        rssMb: rssBytes(pid) / 2 ** 20,
        failedShare: 0,
      };
    },
    stop: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
