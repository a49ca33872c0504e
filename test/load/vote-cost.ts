// The cost of a vote for the caller: REDUNDANT with three correct engines compared with one engine alone, one call at a
// time.
import { parseArguments } from '../support/arguments.ts';
import { VotePolicy } from '../../services/generated/tandem/v1/reasoning.ts';
import { Strategy, VoteMode } from '../../services/generated/tandem/v1/types.ts';
import { readHeldout } from '../support/heldout.ts';
import { type System, startSystem } from '../support/system.ts';

const HELP = `Measures what a vote costs: the time of a REDUNDANT call over three honest engines, and of a ROUND_ROBIN call over the
same three. The calls take turns, one in flight at a time, without the cache; router, caller and engines share this machine.

Usage: node test/load/vote-cost.ts [options]

  --calls N      calls of each kind (default 2000)
  --local        one of the three is the router's own engine; else all are C++ sidecars
  --json         print JSON for programs
  --help         this text

Example: node test/load/vote-cost.ts --calls 5000 --json
`;

/** Calls of each kind before the measurement: for the JIT compiler, and the engines' memory. */
const WARM_UP = 300;

const { values } = parseArguments({
  options: {
    calls: { type: 'string', default: '2000' },
    local: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) {
  process.stdout.write(HELP);
} else {
  const measured = await measure(Number(values.calls), values.local);
  process.stdout.write(values.json ? `${JSON.stringify(measured)}\n` : `${describe(measured)}\n`);
}

interface Times {
  readonly p50_ms: number;
  readonly p95_ms: number;
}

interface Measured {
  readonly engines: readonly string[];
  readonly calls: number;
  readonly single: Times;
  readonly vote: Times;
  /** A vote of three that asks two if they agree. */
  readonly staged: Times;
  /** Of the medians. */
  readonly ratio: number;
  readonly staged_ratio: number;
  /** Engines asked by a staged vote, mean. */
  readonly staged_engines: number;
  /** Votes with an engine that was too late. */
  readonly votes_with_absentees: number;
}

async function measure(calls: number, withLocal: boolean): Promise<Measured> {
  const system = await startSystem({
    local: { enabled: withLocal },
    spawn: { count: withLocal ? 2 : 3 },
    cache: { enabled: false },
  });
  try {
    const inputs = readHeldout();
    const singleMs: number[] = [];
    const voteMs: number[] = [];
    const stagedMs: number[] = [];
    let stagedBallots = 0;
    let absentees = 0;
    for (let turn = -WARM_UP; turn < calls; turn += 1) {
      const { data } = inputs[(turn + WARM_UP) % inputs.length]!;
      const single = await timed(system, data, Strategy.STRATEGY_ROUND_ROBIN);
      const vote = await timed(system, data, Strategy.STRATEGY_REDUNDANT);
      const staged = await timed(system, data, Strategy.STRATEGY_REDUNDANT, VoteMode.VOTE_MODE_STAGED);
      if (turn < 0) continue;
      stagedMs.push(staged.ms);
      stagedBallots += staged.ballots;
      singleMs.push(single.ms);
      voteMs.push(vote.ms);
      if (vote.absent > 0) absentees += 1;
    }
    const [single, vote, staged] = [toTimes(singleMs), toTimes(voteMs), toTimes(stagedMs)];
    const engines = system.pool.engines.map(({ id }) => id);
    return {
      engines,
      calls,
      single,
      vote,
      staged,
      ratio: vote.p50_ms / single.p50_ms,
      staged_ratio: staged.p50_ms / single.p50_ms,
      staged_engines: stagedBallots / calls,
      votes_with_absentees: absentees,
    };
  } finally {
    await system.stop();
  }
}

async function timed(
  system: System,
  data: Buffer,
  strategy: Strategy,
  mode?: VoteMode,
): Promise<{ ms: number; absent: number; ballots: number }> {
  const policy = mode === undefined ? undefined : VotePolicy.fromPartial({ mode });
  const startedMs = performance.now();
  const tensor = { shape: [data.length / 4], dtype: 'FP32', data };
  const { vote } = await system.reason({ tensor, strategy, vote: policy });
  const ms = performance.now() - startedMs;
  const ballots = vote?.ballots ?? [];
  return { ms, ballots: ballots.length, absent: ballots.filter(({ stateDigest }) => stateDigest === 0n).length };
}

function toTimes(list: readonly number[]): Times {
  const sorted = list.toSorted((a, b) => a - b);
  const percentile = (percent: number): number => sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? NaN;
  return { p50_ms: percentile(50), p95_ms: percentile(95) };
}

function describe(measured: Measured): string {
  const { engines, calls, single, vote, staged, ratio, staged_ratio, staged_engines, votes_with_absentees } = measured;
  const line = (name: string, { p50_ms, p95_ms }: Times): string =>
    `${name}  p50 ${p50_ms.toFixed(3)} ms  p95 ${p95_ms.toFixed(3)} ms`;
  return [
    line('one engine (ROUND_ROBIN)      ', single),
    line('vote of three (REDUNDANT)     ', vote),
    line('the same, staged              ', staged),
    `a vote takes ${ratio.toFixed(2)} times as long as one engine (p50)`,
    `a staged one ${staged_ratio.toFixed(2)} times, and asks ${staged_engines.toFixed(2)} engines`,
    `${votes_with_absentees} of ${calls} votes were decided before an engine had voted`,
    `engines ${engines.join(', ')}; ${calls} calls of each, in turns, one in flight`,
  ].join('\n');
}
