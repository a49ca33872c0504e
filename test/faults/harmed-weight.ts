// One engine of three has a wrong weight: NaN, or with one flipped bit of its exponent.
import { WRONG_ENGINE_SETTINGS, describeSums, passes, playWrongEngine, sumUp } from './judging.ts';
import type { Outcome, Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';

const REQUESTS = 4_000;
/** Different weights. */
const SEEDS = [1, 2, 3];
/** All bits of a binary32's exponent, lowest first. */
const EXPONENT_BITS = [23, 24, 25, 26, 27, 28, 29, 30];
const BAR = 'REDUNDANT: 0 wrong, 0 failed; out within 10 dissents; without a vote 0 wrong refusals';

interface Harm {
  readonly name: string;
  readonly fault: string;
  readonly seed: number;
}

export const nanWeight: Scenario = {
  name: 'nan-weight',
  fault: 'one engine of three with a weight that is NaN',
  settings: WRONG_ENGINE_SETTINGS,
  bar: BAR,
  run: (stage) =>
    play(
      stage,
      SEEDS.map((seed) => ({ name: `seed ${seed}`, fault: 'nan_weight=1', seed })),
    ),
};

export const exponentBits: Scenario = {
  name: 'exponent-bits',
  fault: 'one engine of three with a bit of a weight’s exponent flipped, each bit',
  settings: WRONG_ENGINE_SETTINGS,
  bar: BAR,
  run: (stage) =>
    play(
      stage,
      EXPONENT_BITS.map((bit) => ({ name: `bit ${bit}`, fault: `exponent_bit=${bit}`, seed: bit })),
    ),
};

async function play(stage: Stage, harms: readonly Harm[]): Promise<Outcome> {
  const truths = await stage.truths();
  const honest = await stage.sidecars(2);
  const count = Math.ceil((stage.options.count ?? REQUESTS) / harms.length);
  const cells = [];
  for (const { name, fault, seed } of harms) {
    const [harmed] = await stage.faulty(fault, { seed });
    cells.push(await playWrongEngine(stage, { name, engines: [harmed!, ...honest], truths, count }));
    await harmed!.kill();
  }
  const sums = sumUp(cells);
  return {
    figures: { cells, sums },
    measured: describeSums(sums),
    // A weight that no input uses has no effect; most weights must have one.
    passed: passes(sums, false) && sums.harmless.length < cells.length / 2,
    missed: [],
  };
}
