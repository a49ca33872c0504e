// The cost of a text compared with a vector: calls in turns, one at a time, through one router and one sidecar.
import { parseArguments } from '../support/arguments.ts';
import { table } from '../../services/cli/table.ts';
import type { ReasonRequest } from '../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode, Strategy } from '../../services/generated/tandem/v1/types.ts';
import { readHeldout } from '../support/heldout.ts';
import { type System, startSystem } from '../support/system.ts';

const HELP = `Measures what a text costs beside a vector of numbers: processor time of client and router, and p50, as ratios.

Usage: node test/load/text-cost.ts [options]

  --calls N   of each kind in each of 5 rounds (default 500); a figure is the median of the rounds
  --json      print JSON for programs
  --help      this text

Example: node test/load/text-cost.ts --calls 2000
`;

const ROUNDS = 5;
/** The allowed ratio of the time of a text to that of a vector. */
const BAR = 2;

const { values } = parseArguments({
  options: {
    calls: { type: 'string', default: '500' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});

interface Cost {
  readonly cpuUs: number;
  readonly p50Us: number;
}

if (values.help) process.stdout.write(HELP);
else await main();

async function main(): Promise<void> {
  const heldout = readHeldout();
  const system = await startSystem({ models_dir: 'deploy/models', spawn: { count: 1 }, local: { enabled: false } });
  const same = { cache: CacheMode.CACHE_MODE_BYPASS, strategy: Strategy.STRATEGY_ROUND_ROBIN };
  const kinds = {
    vector: heldout.map(({ data }) => ({ ...same, tensor: { shape: [768], dtype: 'FP32', data } })),
    text: heldout.map(({ text }) => ({ ...same, text, model: 'supersense-text' })),
  };
  const calls = Number(values.calls);
  const rounds: { vector: Cost; text: Cost }[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const cost = { vector: await measure(system, kinds.vector, calls), text: await measure(system, kinds.text, calls) };
    if (round > 0) rounds.push(cost); // the first one warms up
  }
  await system.stop();
  const median = (of: (cost: (typeof rounds)[number]) => number): number =>
    rounds.map(of).sort((a, b) => a - b)[ROUNDS >> 1]!;
  const result = {
    vector: { cpu_us: median((r) => r.vector.cpuUs), p50_us: median((r) => r.vector.p50Us) },
    text: { cpu_us: median((r) => r.text.cpuUs), p50_us: median((r) => r.text.p50Us) },
    ratio: { cpu: median((r) => r.text.cpuUs / r.vector.cpuUs), p50: median((r) => r.text.p50Us / r.vector.p50Us) },
    bar: BAR,
  };
  const row = (name: string, { cpu_us, p50_us }: typeof result.text): string[] => [
    name,
    cpu_us.toFixed(0),
    p50_us.toFixed(0),
  ];
  const people = table(['INPUT', 'CPU µs/CALL', 'p50 µs'], [row('vector', result.vector), row('text', result.text)]);
  const ratios = `text / vector: CPU ${result.ratio.cpu.toFixed(2)}, p50 ${result.ratio.p50.toFixed(2)} (bar: at most ${BAR})`;
  process.stdout.write(values.json ? `${JSON.stringify(result, null, 2)}\n` : `${people}\n${ratios}\n`);
  if (result.ratio.cpu > BAR) process.exitCode = 1;
}

/** Processor time is of this process: client and router. Pauses of the machine do not count in it. */
async function measure(system: System, requests: readonly Partial<ReasonRequest>[], calls: number): Promise<Cost> {
  const times: number[] = [];
  const before = process.cpuUsage();
  for (let k = 0; k < calls; k += 1) {
    const startedMs = performance.now();
    await system.reason(requests[k % requests.length]!);
    times.push(performance.now() - startedMs);
  }
  const { user, system: kernel } = process.cpuUsage(before);
  return { cpuUs: (user + kernel) / calls, p50Us: times.sort((a, b) => a - b)[calls >> 1]! * 1_000 };
}
