// The cost of tracing: throughput of one router without it, and of others that keep 1 % and 100 % of their traces. Each
// has its own sidecar that sends it spans, as with `npm start`. They run in turns, in one run.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseArguments } from '../support/arguments.ts';
import { table } from '../../services/cli/table.ts';
import { type Program, run } from '../support/process.ts';

const HELP = `Measures what tracing costs the router: calls/s with 1 % and 100 % of traces kept, as ratios to none, all in this run.

Usage: node test/load/tracing-cost.ts [options]

  --rounds N      interleaved rounds (default 7); a figure is the median of its ratios to the "off" of the same round
  --seconds S     of each load (default 2)
  --in-flight N   calls under way at once (default 64)
  --json          print JSON for programs
  --help          this text

"sent" also exports to a collector that reads and throws away. Client, router, engine and collector share the machine: the
last columns are the processor time that each of them took for one call. Wants a built engine: scripts/setup --for bench.

Example: node test/load/tracing-cost.ts --rounds 15 --json
`;

const ROOT = join(import.meta.dirname, '../..');
const ENCODINGS = join(ROOT, 'test/data/supersense/heldout.f16');
const MODES = ['off', '1 %', '100 %', '1 % sent', '100 % sent'] as const;
type Mode = (typeof MODES)[number];

/** The share of its throughput that the router must keep. */
const BARS: Partial<Record<Mode, number>> = { '1 %': 0.97, '100 %': 0.9, '1 % sent': 0.97, '100 % sent': 0.85 };

/** Processor time for one call, microseconds. */
interface Cpu {
  readonly router_us: number;
  readonly engine_us: number;
  /** Of this process, which is the collector. */
  readonly collector_us: number;
}

interface Row extends Cpu {
  readonly mode: Mode;
  readonly calls_per_s: number;
  readonly p50_us: number;
  readonly ratio: number;
  readonly bar: number | undefined;
}

/** The output of tandem-load. */
interface Measured {
  readonly calls: number;
  readonly calls_per_s: number;
  readonly p50_us: number;
  readonly errors: number;
}

type Load = Measured & Cpu;

interface Router {
  readonly address: string;
  readonly program: Program;
  readonly enginePid: number;
}

const { values } = parseArguments({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
    'in-flight': { type: 'string', default: '64' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) {
  process.stdout.write(HELP);
} else {
  const rows = await measure(Number(values.rounds), values.seconds, values['in-flight']);
  process.stdout.write(values.json ? `${JSON.stringify(rows)}\n` : `${describe(rows)}\n`);
}

async function measure(rounds: number, seconds: string, inFlight: string): Promise<Row[]> {
  const sink = createServer((request, response) => {
    request.resume().once('end', () => response.writeHead(200).end());
  }).listen(0, '127.0.0.1');
  await once(sink, 'listening');
  const collector = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;
  const routers = new Map<Mode, Router>();
  try {
    for (const mode of MODES) routers.set(mode, await startRouter(mode, collector));
    const loads = new Map<Mode, Load[]>(MODES.map((mode) => [mode, []]));
    for (let round = 0; round <= rounds; round += 1) {
      process.stderr.write(`  … round ${round} of ${rounds}\n`);
      // Another order each round, since a router may still be busy after its load.
      const step = 1 + (round % (MODES.length - 1)); // the number of modes is prime
      for (let index = 0; index < MODES.length; index += 1) {
        const mode = MODES[(index * step + round) % MODES.length]!;
        loads.get(mode)!.push(await load(routers.get(mode)!, seconds, inFlight));
      }
    }
    // The first round is for the compiler.
    return MODES.map((mode) => toRow(mode, loads.get(mode)!.slice(1), loads.get('off')!.slice(1)));
  } finally {
    for (const { program } of routers.values()) program.child.kill('SIGTERM');
    await Promise.all([...routers.values()].map(({ program }) => program.finished));
    sink.close();
    sink.closeAllConnections();
  }
}

async function startRouter(mode: Mode, collector: string): Promise<Router> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-tracing-'));
  const config = join(folder, 'router.yaml');
  const settings = {
    listen: '127.0.0.1:0',
    local: { enabled: false },
    cache: { enabled: false }, // a computed answer has the most spans
    spawn: { count: 1, socket_dir: folder },
    http_listen: 'off',
    tracing: { enabled: mode !== 'off', ratio: mode.startsWith('100') ? 1 : 0.01 },
  };
  writeFileSync(config, JSON.stringify(settings)); // JSON is YAML
  const env: Record<string, string> = mode.endsWith('sent') ? { OTEL_EXPORTER_OTLP_ENDPOINT: collector } : {};
  const program = run('services/start.ts', ['--config', config], { env });
  const banner = await program.line(/^ {2}router\s/);
  const { pid } = program.child;
  const [engine = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
  return { address: banner.trim().split(/\s+/)[1]!, program, enginePid: Number(engine) };
}

async function load({ address, program, enginePid }: Router, seconds: string, inFlight: string): Promise<Load> {
  const what = ['--target', address, '--call', 'reason', '--model', 'supersense', '--inputs', ENCODINGS];
  const howMuch = ['--concurrency', inFlight, '--duration', seconds, '--warmup', '0'];
  const binary = join(ROOT, 'sidecar-cpp/build/release/tandem-load');
  const cpu = (): number[] => [cpuUs(program.child.pid!), cpuUs(enginePid), ownCpuUs()];
  const before = cpu();
  const { stdout } = await promisify(execFile)(binary, [...what, ...howMuch]);
  const after = cpu();
  const measured = JSON.parse(stdout) as Measured;
  if (measured.errors > 0) throw new Error(`${measured.errors} calls to ${address} failed`);
  const [router_us, engine_us, collector_us] = after.map((us, at) => (us - before[at]!) / measured.calls);
  return { ...measured, router_us: router_us!, engine_us: engine_us!, collector_us: collector_us! };
}

/** User and system time of a process, see proc(5), which counts in hundredths of a second. */
function cpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // from the third one on
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

function ownCpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function toRow(mode: Mode, loads: readonly Load[], off: readonly Load[]): Row {
  return {
    mode,
    calls_per_s: median(loads.map((each) => each.calls_per_s)),
    p50_us: median(loads.map((each) => each.p50_us)),
    ratio: median(loads.map((each, round) => each.calls_per_s / off[round]!.calls_per_s)),
    bar: BARS[mode],
    router_us: median(loads.map((each) => each.router_us)),
    engine_us: median(loads.map((each) => each.engine_us)),
    collector_us: median(loads.map((each) => each.collector_us)),
  };
}

function describe(rows: readonly Row[]): string {
  const lines = rows.map(({ mode, calls_per_s, p50_us, ratio, bar, router_us, engine_us, collector_us }) => [
    mode,
    calls_per_s.toFixed(0),
    p50_us.toFixed(0),
    ratio.toFixed(3),
    bar === undefined ? '' : `≥ ${bar}`,
    ...[router_us, engine_us, collector_us].map((us) => us.toFixed(1)),
  ]);
  const cpu = ['ROUTER µS/CALL', 'ENGINE', 'COLLECTOR'];
  return table(['TRACES KEPT', 'CALLS/S', 'P50 µS', 'OF OFF', 'BAR', ...cpu], lines);
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[list.length >> 1]!;
}
