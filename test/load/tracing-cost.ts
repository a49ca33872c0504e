// What tracing costs: throughput of one router without it, and of others that keep 1 % and 100 % of their traces, before
// the same sidecar, in turns, in one run.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { table } from '../../services/cli/table.ts';
import { type Program, run } from '../support/process.ts';
import { startSidecar } from '../support/sidecar.ts';

const HELP = `Measures what tracing costs the router: calls/s with 1 % and 100 % of traces kept, as ratios to none, all in this run.

Usage: node test/load/tracing-cost.ts [options]

  --rounds N      interleaved rounds (default 7); a figure is the median of its ratios to the "off" of the same round
  --seconds S     of each load (default 2)
  --in-flight N   calls under way at once (default 64)
  --json          print JSON for programs
  --help          this text

"sent" also exports to a collector that reads and throws away. Wants a built engine: scripts/setup --for bench.

Example: node test/load/tracing-cost.ts --rounds 15 --json
`;

const ROOT = join(import.meta.dirname, '../..');
const ENCODINGS = join(ROOT, 'test/data/supersense/heldout.f16');
const MODES = ['off', '1 %', '100 %', '1 % sent', '100 % sent'] as const;
type Mode = (typeof MODES)[number];

/** What the router must keep of its throughput. */
const BARS: Partial<Record<Mode, number>> = { '1 %': 0.95, '100 %': 0.8, '1 % sent': 0.95, '100 % sent': 0.8 };

interface Row {
  readonly mode: Mode;
  readonly calls_per_s: number;
  readonly p50_us: number;
  readonly ratio: number;
  readonly bar: number | undefined;
}

interface Load {
  readonly calls_per_s: number;
  readonly p50_us: number;
  readonly errors: number;
}

const { values } = parseArgs({
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
  const engine = await startSidecar(join(ROOT, 'deploy/models'));
  const sink = createServer((request, response) => {
    request.resume().once('end', () => response.writeHead(200).end());
  }).listen(0, '127.0.0.1');
  await once(sink, 'listening');
  const collector = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;
  const routers = new Map<Mode, { address: string; program: Program }>();
  try {
    for (const mode of MODES) routers.set(mode, await startRouter(mode, engine.address, collector));
    const loads = new Map<Mode, Load[]>(MODES.map((mode) => [mode, []]));
    for (let round = 0; round <= rounds; round += 1) {
      process.stderr.write(`  … round ${round} of ${rounds}\n`);
      // Each round in another order, so that nobody always comes after the same one.
      for (let place = 0; place < MODES.length; place += 1) {
        const mode = MODES[(place + round) % MODES.length]!;
        loads.get(mode)!.push(await load(routers.get(mode)!.address, seconds, inFlight));
      }
    }
    // The first round is for the compiler.
    return MODES.map((mode) => toRow(mode, loads.get(mode)!.slice(1), loads.get('off')!.slice(1)));
  } finally {
    for (const { program } of routers.values()) program.child.kill('SIGTERM');
    await Promise.all([...routers.values()].map(({ program }) => program.finished));
    sink.close();
    sink.closeAllConnections();
    await engine.stop();
  }
}

async function startRouter(
  mode: Mode,
  engineAddress: string,
  collector: string,
): Promise<{ address: string; program: Program }> {
  const config = join(mkdtempSync(join(tmpdir(), 'tandem-tracing-')), 'router.yaml');
  const settings = {
    listen: '127.0.0.1:0',
    local: { enabled: false },
    cache: { enabled: false }, // an answer that is computed has most to tell
    sidecars: [{ id: 'engine-1', address: engineAddress }],
    http_listen: 'off',
    tracing: { enabled: mode !== 'off', ratio: mode.startsWith('100') ? 1 : 0.01 },
  };
  writeFileSync(config, JSON.stringify(settings)); // JSON is YAML
  const env: Record<string, string> = mode.endsWith('sent') ? { OTEL_EXPORTER_OTLP_ENDPOINT: collector } : {};
  const program = run('services/start.ts', ['--config', config], { env });
  const banner = await program.line(/^ {2}router\s/);
  return { address: banner.trim().split(/\s+/)[1]!, program };
}

async function load(address: string, seconds: string, inFlight: string): Promise<Load> {
  const what = ['--target', address, '--call', 'reason', '--model', 'supersense', '--inputs', ENCODINGS];
  const howMuch = ['--concurrency', inFlight, '--duration', seconds];
  const binary = join(ROOT, 'sidecar-cpp/build/release/tandem-load');
  const { stdout } = await promisify(execFile)(binary, [...what, ...howMuch]);
  const measured = JSON.parse(stdout) as Load;
  if (measured.errors > 0) throw new Error(`${measured.errors} calls to ${address} failed`);
  return measured;
}

function toRow(mode: Mode, loads: readonly Load[], off: readonly Load[]): Row {
  return {
    mode,
    calls_per_s: median(loads.map((each) => each.calls_per_s)),
    p50_us: median(loads.map((each) => each.p50_us)),
    ratio: median(loads.map((each, round) => each.calls_per_s / off[round]!.calls_per_s)),
    bar: BARS[mode],
  };
}

function describe(rows: readonly Row[]): string {
  const lines = rows.map(({ mode, calls_per_s, p50_us, ratio, bar }) => [
    mode,
    calls_per_s.toFixed(0),
    p50_us.toFixed(0),
    ratio.toFixed(3),
    bar === undefined ? '' : `≥ ${bar}`,
  ]);
  return table(['TRACES KEPT', 'CALLS/S', 'P50 µS', 'OF OFF', 'BAR'], lines);
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[list.length >> 1]!;
}
