// `npm run test:faults`: faults of real processes under load, and their effect on callers. See --help.
import { writeFileSync } from 'node:fs';
import { parseArguments } from '../support/arguments.ts';
import { table } from '../../services/cli/table.ts';
import { batchFlood } from './batch-flood.ts';
import { cancelled } from './cancelled.ts';
import { clockScenarios } from './clocks.ts';
import { colluding } from './colluding.ts';
import { corruptLink } from './corrupt-link.ts';
import { descriptorScenarios } from './descriptors.ts';
import { dnsScenarios } from './dns.ts';
import { duplicate } from './duplicate.ts';
import { frozenScenarios } from './frozen.ts';
import { greyScenarios } from './grey.ts';
import { exponentBits, nanWeight } from './harmed-weight.ts';
import { hostileEngineScenarios } from './hostile-engine.ts';
import { killed } from './killed.ts';
import { lying } from './lying.ts';
import { linkScenarios } from './links.ts';
import { malformed } from './malformed.ts';
import { oneShot } from './one-shot.ts';
import { otherWeights } from './other-weights.ts';
import { overloaded } from './overloaded.ts';
import { paused } from './paused.ts';
import { refusing } from './refusing.ts';
import { rolling } from './rolling.ts';
import type { Outcome, Scenario } from './scenario.ts';
import { sessions } from './sessions.ts';
import { slow } from './slow.ts';
import { Stage } from './stage.ts';
import { starvedScenarios } from './starved.ts';
import { stopped } from './stopped.ts';

const SCENARIOS: readonly Scenario[] = [
  killed,
  paused,
  lying,
  colluding,
  slow,
  stopped,
  rolling,
  overloaded,
  cancelled,
  refusing,
  malformed,
  nanWeight,
  exponentBits,
  duplicate,
  otherWeights,
  oneShot,
  corruptLink,
  ...greyScenarios,
  ...linkScenarios,
  ...dnsScenarios,
  ...descriptorScenarios,
  ...clockScenarios,
  ...frozenScenarios,
  ...starvedScenarios,
  batchFlood,
  sessions,
  ...hostileEngineScenarios,
];

const HELP = `Does harm to real sidecars and routers under load, and measures what callers notice.

Usage: npm run test:faults -- [options]

  --only NAME    this scenario only, or those whose names begin with it and a dash; may be given several times
  --count N      requests of lying and cancelled (as many as fit in their time); of refusing, malformed, nan-weight,
                 exponent-bits, duplicate, other-weights, one-shot and corrupt-link (2,000 to 10,000 each); kills of
                 sessions (100)
  --seconds N    of load of overloaded and cancelled (30, 45), of a fault of grey from two seconds on (8), and of
                 hostile-engine (20)
  --rate N       requests a second of the paced loads at most (1000); those of mixed strategies send 300 at most
  --json FILE    also write every figure as JSON
  --list         every scenario with its router's settings
  --help         this text

Ends with 1 if a request failed or an answer was wrong that should not have been. A bar of speed or memory that is
missed is printed with its figure and decides nothing: close other programs first, the machine's noise is in it.

Example: npm run test:faults -- --only killed --only lying --count 100000
`;

const { values } = parseArguments({
  options: {
    only: { type: 'string', multiple: true },
    count: { type: 'string' },
    seconds: { type: 'string' },
    rate: { type: 'string', default: '1000' },
    json: { type: 'string' },
    list: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});

const isNamed = ({ name }: Scenario, only: string): boolean => name === only || name.startsWith(`${only}-`);
const unknown = values.only?.filter((only) => !SCENARIOS.some((scenario) => isNamed(scenario, only))) ?? [];
if (values.help) {
  process.stdout.write(HELP);
} else if (unknown.length > 0) {
  process.stderr.write(`There is no scenario ${unknown.join(', ')}. Names: npm run test:faults -- --list\n`);
  process.exitCode = 2;
} else if (values.list) {
  const rows = SCENARIOS.map(({ name, settings, fault, bar }) => [name, JSON.stringify(settings), fault, bar]);
  process.stdout.write(`${table(['NAME', 'SETTINGS', 'FAULT', 'BAR'], rows)}\n`);
} else {
  process.exitCode = await main();
}

interface Played extends Omit<Outcome, 'figures'> {
  readonly name: string;
  readonly fault: string;
  readonly bar: string;
  readonly settings: Scenario['settings'];
  readonly figures: Outcome['figures'];
  readonly seconds: number;
  readonly verdict: string;
}

async function main(): Promise<number> {
  const chosen = SCENARIOS.filter((scenario) => values.only?.some((only) => isNamed(scenario, only)) ?? true);
  const played: Played[] = [];
  for (const scenario of chosen) {
    played.push(await play(scenario));
    if (values.json) writeFileSync(values.json, `${JSON.stringify(played, null, 2)}\n`);
  }
  const rows = played.map(({ fault, bar, measured, verdict }) => [fault, bar, measured, verdict]);
  process.stdout.write(`\n${table(['FAULT', 'BAR', 'MEASURED', 'VERDICT'], rows)}\n`);
  return played.every(({ passed }) => passed) ? 0 : 1;
}

async function play(scenario: Scenario): Promise<Played> {
  const { name, fault, bar, settings } = scenario;
  const progress = (text: string): void => void process.stderr.write(`  … ${name}: ${text}\n`);
  const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
  const options = { count: number(values.count), seconds: number(values.seconds), rate: Number(values.rate), progress };
  const stage = new Stage(options);
  const beganMs = performance.now();
  progress(fault);
  let outcome: Outcome;
  try {
    outcome = await scenario.run(stage);
  } catch (error) {
    outcome = { figures: {}, measured: `broke off: ${(error as Error).message}`, passed: false, missed: [] };
  } finally {
    await stage.end();
  }
  const seconds = Math.round((performance.now() - beganMs) / 1_000);
  const verdict = outcome.passed ? ['ok', ...outcome.missed.map((each) => `missed: ${each}`)].join('; ') : 'FAILED';
  progress(`${outcome.measured} · ${verdict} (${seconds} s)`);
  return { name, fault, bar, settings, ...outcome, seconds, verdict };
}
