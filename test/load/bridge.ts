// Compares the old client with its own server, which computes nothing, and with the bridge of a router with one C++
// sidecar.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseArguments } from '../support/arguments.ts';
import { table } from '../../services/cli/table.ts';
import { startRouter } from '../support/router-process.ts';
import { freePorts } from '../support/free-ports.ts';
import { startSidecar } from '../support/sidecar.ts';
import { SUPERSENSE } from '../support/models.ts';
import { startReplaced } from './path/replaced.ts';

const HELP = `Runs the old client (test/load/path/replaced.py, unchanged), one request of 768 numbers at a time, against the replaced design
and against the bridge, in turns; prints the median of the rounds.

Usage: node test/load/bridge.ts [options]

  --rounds N     (default 5)
  --seconds N    of one measurement (default 2)
  --help         this text

Example: node test/load/bridge.ts --rounds 3 --seconds 1
`;

interface Figures {
  readonly calls_per_s: number;
  readonly p50_us: number;
  readonly p99_us: number;
}

const { values } = parseArguments({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) process.stdout.write(HELP);
else await measure(Number(values.rounds), Number(values.seconds));

async function measure(rounds: number, seconds: number): Promise<void> {
  const sidecar = await startSidecar(SUPERSENSE);
  const [cached = 0, computing = 0] = await freePorts(2);
  const base = {
    models_dir: SUPERSENSE,
    local: { enabled: false },
    sidecars: [{ id: 'one', address: sidecar.address }],
  };
  const bridge = (port: number): object => ({ bridge: { listen: `127.0.0.1:${port}` } });
  const replaced = await startReplaced();
  const routers = [
    await startRouter({ ...base, ...bridge(cached) }),
    await startRouter({ ...base, ...bridge(computing), cache: { enabled: false } }),
  ];
  const servers: [name: string, run: () => Promise<Figures>][] = [
    ['replaced design, nothing computed', async () => fromReplaced(await replaced.measure(seconds))],
    ['bridge, 64 inputs again and again (cache)', () => oldClient(cached, seconds)],
    ['bridge, cache off', () => oldClient(computing, seconds)],
  ];
  try {
    const figures = servers.map((): Figures[] => []);
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, [, run]] of servers.entries()) figures[index]!.push(await run());
    }
    const rows = servers.map(([name], index) => {
      const median = (key: keyof Figures): number => Math.round(middle(figures[index]!.map((each) => each[key])));
      return [name, median('calls_per_s'), median('p50_us'), median('p99_us')];
    });
    process.stdout.write(`${table(['OLD CLIENT AGAINST', 'CALLS/S', 'P50 µs', 'P99 µs'], rows)}\n`);
  } finally {
    await Promise.all([replaced.stop(), ...routers.map((router) => router.stop())]);
    await sidecar.stop();
  }
}

function fromReplaced({ callsPerS, p50Us, p99Us }: { callsPerS: number; p50Us: number; p99Us: number }): Figures {
  return { calls_per_s: callsPerS, p50_us: p50Us, p99_us: p99Us };
}

async function oldClient(port: number, seconds: number): Promise<Figures> {
  const program = join(import.meta.dirname, 'path/replaced.py');
  const { stdout } = await promisify(execFile)('python3', [program, 'client', String(port), String(seconds)]);
  return JSON.parse(stdout) as Figures;
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}
