// Measures how much one caller's flood delays another caller that sends good requests at a low rate. Router, engine, callers and
// control are separate processes.
import { createHash, randomBytes } from 'node:crypto';
import { setPriority } from 'node:os';
import { parseArguments } from '../support/arguments.ts';
import { table } from '../../services/cli/table.ts';
import { type Program, run } from '../support/process.ts';
import { type RouterProcess, startRouter } from '../support/router-process.ts';
import { startSidecar } from '../support/sidecar.ts';
import type { Latency } from './flood/caller.ts';
import type { Flooded } from './flood/flooder.ts';
import { FLOODS, type FloodKind } from './flood/requests.ts';

const HELP = `Measures what one caller's flood costs another caller. The other sends good requests at a fixed rate and is measured three
times for each flood: alone, beside the flood, and beside the same flood against a server that answers at once with nothing.
The last shows what the flooder itself takes of the machine; the ratio to it is the router's own.

Usage: node test/load/second-caller.ts [options]

  --floods LIST   of calls, items, bytes, gzip, cancels and streams (default: all)
  --rate N        requests of the good caller in a second (default 200)
  --seconds N     length of each part (default 5)
  --rounds N      the figures are their medians (default 3)
  --no-limits     without the limits of setting callers, which are those of docs/security.md otherwise
  --json          print JSON for programs
  --help          this text

The flooder and the control have the lowest priority: they stand for another machine. Close other programs first.

Example: node test/load/second-caller.ts --floods calls,bytes --rounds 1
`;

/** As in docs/security.md. */
const LIMITS = { per_s: 2_000, max_calls: 256, max_items: 4_096, max_bytes: 67_108_864 };
const LOWEST_PRIORITY = 19;
/** Times that each flood runs before the measurement. */
const WARM_UPS = 3;

const { values } = parseArguments({
  options: {
    floods: { type: 'string', default: FLOODS.join(',') },
    rate: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    'no-limits': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  },
});

interface Part {
  readonly alone: Latency;
  readonly beside: Latency;
  readonly control: Latency;
  readonly flood: Flooded;
  /** Share of one core during the flood. */
  readonly routerCpu: number;
}

interface Row {
  readonly flood: FloodKind;
  readonly alone_p99_ms: number;
  readonly control_p99_ms: number;
  readonly beside_p50_ms: number;
  readonly beside_p99_ms: number;
  /** Of the good caller's requests, in all rounds. */
  readonly failed: number;
  readonly ratio_to_alone: number;
  readonly ratio_to_control: number;
  readonly sent_per_s: number;
  readonly router_cpu: number;
  readonly outcomes: Flooded['outcomes'];
}

const tokens = { good: randomBytes(16).toString('hex'), flood: randomBytes(16).toString('hex') };

if (values.help) process.stdout.write(HELP);
else {
  const rows = await measure();
  process.stdout.write(values.json ? `${JSON.stringify(rows)}\n` : describe(rows));
}

async function measure(): Promise<Row[]> {
  const floods = values.floods.split(',') as FloodKind[];
  const sidecar = await startSidecar('deploy/models');
  const router = await startRouter({
    cache: { enabled: false },
    local: { enabled: false },
    sidecars: [{ id: 'engine-1', address: sidecar.address }],
    ...(!values['no-limits'] && { callers: LIMITS }),
    auth: {
      tokens: Object.entries(tokens).map(([name, token]) => ({
        ...{ name, roles: ['reason'] },
        sha256: createHash('sha256').update(token).digest('hex'),
      })),
    },
  });
  const sink = run('test/load/flood/sink.ts', []);
  setPriority(sink.child.pid!, LOWEST_PRIORITY);
  try {
    const sinkAddress = await sink.line(/^127/);
    const parts = new Map<FloodKind, Part[]>(floods.map((flood) => [flood, []]));
    // For the compilers: in its first seconds in a flood, a router that has just started is five times as slow.
    for (const flood of floods) {
      process.stderr.write(`  … warming up: ${flood}\n`);
      for (let time = 0; time < WARM_UPS; time += 1) {
        await Promise.all([floodAt(flood, router.address), callAt(router.address)]);
      }
    }
    for (let round = 1; round <= Number(values.rounds); round += 1) {
      for (const flood of floods) {
        process.stderr.write(`  … round ${round} of ${values.rounds}: ${flood}\n`);
        const part = await measurePart(flood, router, sinkAddress);
        parts.get(flood)!.push(part);
        const p99s = [part.alone, part.control, part.beside].map(({ p99_ms: p99Ms }) => p99Ms.toFixed(2));
        process.stderr.write(`    p99 alone, control, beside: ${p99s.join(', ')} ms\n`);
      }
    }
    return floods.map((flood) => summarize(flood, parts.get(flood)!));
  } finally {
    sink.child.kill();
    await router.stop();
    await sidecar.stop();
  }
}

async function measurePart(flood: FloodKind, router: RouterProcess, sinkAddress: string): Promise<Part> {
  const alone = await callAt(router.address);
  const before = router.cpuMs();
  const beganMs = performance.now();
  const [flooded, beside] = await Promise.all([floodAt(flood, router.address), callAt(router.address)]);
  const routerCpu = (router.cpuMs() - before) / (performance.now() - beganMs);
  const rate = Math.max(1, Math.round(flooded.perS));
  const [, control] = await Promise.all([floodAt(flood, sinkAddress, rate), callAt(router.address)]);
  return { alone, beside, control, flood: flooded, routerCpu };
}

async function callAt(address: string, seconds = Number(values.seconds)): Promise<Latency> {
  const options = ['--address', address, '--token', tokens.good, '--rate', values.rate, '--seconds', String(seconds)];
  return await result(run('test/load/flood/caller.ts', options));
}

/** Runs longer than the good caller measures. */
async function floodAt(flood: FloodKind, address: string, rate = 0): Promise<Flooded> {
  const options = ['--kind', flood, '--address', address, '--token', tokens.flood, '--rate', String(rate)];
  const program = run('test/load/flood/flooder.ts', [...options, '--seconds', String(Number(values.seconds) + 2)]);
  setPriority(program.child.pid!, LOWEST_PRIORITY);
  return await result(program);
}

async function result<T>({ finished }: Program): Promise<T> {
  const { code, stdout, stderr } = await finished;
  if (code !== 0) throw new Error(`a caller failed: ${stderr}`);
  return JSON.parse(stdout) as T;
}

function summarize(flood: FloodKind, parts: readonly Part[]): Row {
  const of = (value: (part: Part) => number): number => median(parts.map(value));
  const [alone, control, beside] = [
    of((part) => part.alone.p99_ms),
    of((part) => part.control.p99_ms),
    of((part) => part.beside.p99_ms),
  ];
  return {
    ...{ flood, alone_p99_ms: alone, control_p99_ms: control, beside_p99_ms: beside },
    beside_p50_ms: of((part) => part.beside.p50_ms),
    failed: parts.reduce((sum, part) => sum + part.beside.failed, 0),
    ratio_to_alone: beside / alone,
    ratio_to_control: beside / control,
    sent_per_s: of((part) => part.flood.perS),
    router_cpu: of((part) => part.routerCpu),
    outcomes: parts[0]!.flood.outcomes,
  };
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[list.length >> 1] ?? NaN;
}

function describe(rows: readonly Row[]): string {
  const head = ['FLOOD', 'P99 ALONE', 'CONTROL', 'BESIDE', 'OF ALONE', 'OF CONTROL', 'FAILED', 'SENT/S', 'ROUTER CPU'];
  const line = (row: Row): string[] => [
    ...[row.flood, row.alone_p99_ms.toFixed(2), row.control_p99_ms.toFixed(2), row.beside_p99_ms.toFixed(2)],
    ...[row.ratio_to_alone.toFixed(2), row.ratio_to_control.toFixed(2), String(row.failed)],
    ...[row.sent_per_s.toFixed(0), `${(row.router_cpu * 100).toFixed(0)} %`],
  ];
  const outcomes = rows.map(({ flood, outcomes }) => `${flood}: ${JSON.stringify(outcomes)}`);
  const limits = values['no-limits'] ? 'no limits' : JSON.stringify(LIMITS);
  const medians = `milliseconds; medians of ${values.rounds} rounds; the good caller sends ${values.rate}/s; callers: ${limits}`;
  return [table(head, rows.map(line)), medians, ...outcomes, ''].join('\n');
}
