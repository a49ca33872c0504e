// The cost of a change: compares the throughput of this tree's router and sidecars with those of another checkout, in
// turns.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parseArguments } from '../support/arguments.ts';
import { type Checkout, startCheckout } from './checkout.ts';

const HELP = `Measures the throughput and the CPU time of a call, of this tree against another checkout: each with its own router
and C++ sidecars, without the cache, with tandem-load of this tree. The two take turns, round by round; medians count.
Compare the ratios; absolute figures vary between machines and hours. Close other programs first.

Usage: node test/load/versus.ts [options]

  --other DIR        the other checkout, set up and built (default /tmp/base); for a commit of this repository:
                     git worktree add DIR COMMIT, then scripts/setup --for start in DIR
  --strategy NAME    ROUND_ROBIN (one engine, unless --engines says otherwise) or REDUNDANT (three) (default ROUND_ROBIN)
  --engines N        sidecars of each router
  --in-flight N      calls under way at any time (default 64)
  --starts N         both are started anew so often: two processes of one program differ by some percent (default 3)
  --rounds N         rounds of each after every start (default 5)
  --seconds N        length of a round (default 3)
  --json             print JSON for programs
  --help             this text

Example: node test/load/versus.ts --other ../tandem-before --strategy REDUNDANT --starts 6
`;

const ROOT = join(import.meta.dirname, '../..');
const LOAD = join(ROOT, 'sidecar-cpp/build/release/tandem-load');
const INPUTS = join(ROOT, 'test/data/supersense/heldout.f16');
const STRATEGIES = ['ROUND_ROBIN', 'REDUNDANT'];
const runFile = promisify(execFile);

interface Options {
  readonly other: string;
  readonly strategy: string;
  readonly engines: number;
  readonly inFlight: number;
  readonly starts: number;
  readonly rounds: number;
  readonly seconds: number;
}

interface Figures {
  readonly calls_per_s: number;
  readonly p50_us: number;
  readonly router_cpu_us: number;
  readonly engines_cpu_us: number;
}

type Samples = [ours: Figures[], theirs: Figures[]];

interface Measured {
  readonly strategy: string;
  readonly engines: number;
  readonly in_flight: number;
  readonly starts: number;
  readonly rounds: number;
  /** Medians. CPU times are of one call. */
  readonly ours: Figures;
  readonly theirs: Figures;
  /** Ratios of our medians to theirs. */
  readonly throughput_ratio: number;
  readonly cpu_ratio: number;
  /** Lowest and highest ratio of the throughputs of one round. */
  readonly round_ratios: readonly [lowest: number, highest: number];
}

const { values } = parseArguments({
  options: {
    other: { type: 'string', default: '/tmp/base' },
    strategy: { type: 'string', default: 'ROUND_ROBIN' },
    engines: { type: 'string' },
    'in-flight': { type: 'string', default: '64' },
    starts: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) {
  process.stdout.write(HELP);
} else {
  const options: Options = {
    other: resolve(values.other),
    strategy: values.strategy,
    engines: Number(values.engines ?? (values.strategy === 'REDUNDANT' ? 3 : 1)),
    inFlight: Number(values['in-flight']),
    starts: Number(values.starts),
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
  };
  const problem = whyInvalid(options);
  if (problem === '') {
    const measured = await measure(options);
    process.stdout.write(values.json ? `${JSON.stringify(measured)}\n` : `${describe(measured)}\n`);
  } else {
    process.stderr.write(`${problem}\n`);
    process.exitCode = 2;
  }
}

/** Empty: the options are valid. */
function whyInvalid({ other, strategy, engines, inFlight, starts, rounds, seconds }: Options): string {
  if (!STRATEGIES.includes(strategy)) return `--strategy is ${strategy}; it can be ${STRATEGIES.join(' or ')}`;
  const counts = { '--engines': engines, '--in-flight': inFlight, '--starts': starts, '--rounds': rounds };
  for (const [name, count] of Object.entries(counts)) {
    if (!Number.isInteger(count) || count < 1) return `${name} takes a whole number from 1 on`;
  }
  if (!(seconds > 0)) return '--seconds takes a number above 0';
  if (!existsSync(other)) return `--other ${other}: there is no such folder; see --help`;
  return existsSync(LOAD) ? '' : `${LOAD} is missing; build the target tandem-load`;
}

async function measure(options: Options): Promise<Measured> {
  const { strategy, engines, inFlight, starts, rounds } = options;
  const samples: Samples = [[], []];
  for (let start = 0; start < starts; start += 1) await measureOnce(options, samples, start);
  const [ours, theirs] = samples.map(medians) as [Figures, Figures];
  const cpu = (figures: Figures): number => figures.router_cpu_us + figures.engines_cpu_us;
  const ratios = samples[0].map(({ calls_per_s }, at) => calls_per_s / samples[1][at]!.calls_per_s);
  return {
    ...{ strategy, engines, in_flight: inFlight, starts, rounds, ours, theirs },
    throughput_ratio: ours.calls_per_s / theirs.calls_per_s,
    cpu_ratio: cpu(ours) / cpu(theirs),
    round_ratios: [Math.min(...ratios), Math.max(...ratios)],
  };
}

/** Each is started first, and measured first, as often as the other one. */
function order(turn: number): readonly (0 | 1)[] {
  return turn % 2 === 0 ? [0, 1] : [1, 0];
}

async function measureOnce(options: Options, samples: Samples, start: number): Promise<void> {
  const { other, strategy, engines, rounds } = options;
  const roots = [ROOT, other] as const;
  const checkouts: Checkout[] = [];
  try {
    for (const which of order(start)) {
      const checkout = await startCheckout(roots[which], {
        engines,
        settings: { strategy, cache: { enabled: false } },
      });
      checkouts[which] = checkout;
      await load(checkout, options); // for the compilers; it does not count
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const which of order(start + round)) samples[which].push(await load(checkouts[which]!, options));
      const [ours, theirs] = samples.map((each) => Math.round(each.at(-1)!.calls_per_s));
      process.stderr.write(`  … start ${start + 1}, round ${round + 1} of ${rounds}: ${ours} and ${theirs} calls/s\n`);
    }
  } finally {
    await Promise.all(checkouts.map((checkout) => checkout.stop())); // a failed start has none
  }
}

async function load(checkout: Checkout, { inFlight, seconds }: Options): Promise<Figures> {
  const args = ['--target', checkout.address, '--call', 'reason', '--model', 'supersense', '--inputs', INPUTS];
  const before = checkout.cpuUs();
  // Without a warm-up, so that the CPU time is that of the calls counted.
  const { stdout } = await runFile(LOAD, [
    ...args,
    ...['--concurrency', String(inFlight), '--duration', String(seconds), '--warmup', '0'],
  ]);
  const after = checkout.cpuUs();
  const { calls, errors, calls_per_s, p50_us } = JSON.parse(stdout) as {
    calls: number;
    errors: number;
    calls_per_s: number;
    p50_us: number;
  };
  if (errors > 0) throw new Error(`${errors} of ${calls} calls to ${checkout.address} failed`);
  return {
    ...{ calls_per_s, p50_us },
    router_cpu_us: (after.router - before.router) / calls,
    engines_cpu_us: (after.engines - before.engines) / calls,
  };
}

function medians(samples: readonly Figures[]): Figures {
  const of = (key: keyof Figures): number => {
    const sorted = samples.map((each) => each[key]).sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  };
  return {
    calls_per_s: of('calls_per_s'),
    p50_us: of('p50_us'),
    router_cpu_us: of('router_cpu_us'),
    engines_cpu_us: of('engines_cpu_us'),
  };
}

function describe(measured: Measured): string {
  const { strategy, engines, in_flight, starts, rounds, ours, theirs } = measured;
  const { throughput_ratio, cpu_ratio, round_ratios } = measured;
  const line = (name: string, { calls_per_s, p50_us, router_cpu_us, engines_cpu_us }: Figures): string =>
    `${name} ${calls_per_s.toFixed(0).padStart(7)} calls/s  p50 ${p50_us.toFixed(0)} µs  ` +
    `CPU a call: router ${router_cpu_us.toFixed(1)} µs, engines ${engines_cpu_us.toFixed(1)} µs`;
  const [lowest, highest] = round_ratios.map((ratio) => ratio.toFixed(3));
  return [
    line('this tree ', ours),
    line('other tree', theirs),
    `throughput ${throughput_ratio.toFixed(3)} of the other tree’s (rounds: ${lowest} to ${highest}), CPU ${cpu_ratio.toFixed(3)}`,
    `${strategy}, engines of each: ${engines}, ${in_flight} in flight, medians of ${starts * rounds} rounds (starts: ${starts}), no cache`,
  ].join('\n');
}
