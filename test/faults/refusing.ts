// One engine of three refuses every input with a reason of which none is true.
import { REFUSALS } from '../fakes/lies.ts';
import { WRONG_ENGINE_SETTINGS, describeSums, passes, playWrongEngine, sumUp } from './judging.ts';
import type { Scenario } from './scenario.ts';

const REQUESTS = 4_500;

export const refusing: Scenario = {
  name: 'refusing',
  fault: 'one engine of three refuses what is right, with each kind of refusal',
  settings: WRONG_ENGINE_SETTINGS,
  bar: 'REDUNDANT: 0 wrong, 0 failed; out within 10 dissents; without a vote 0 wrong refusals',
  async run(stage) {
    const truths = await stage.truths();
    const [one, two, behind] = await stage.sidecars(3);
    const liar = await stage.programmable(behind!);
    const count = Math.ceil((stage.options.count ?? REQUESTS) / REFUSALS.length);
    const cells = [];
    for (const { name, tamper } of REFUSALS) {
      liar.tamper = tamper;
      cells.push(await playWrongEngine(stage, { name, engines: [liar, one!, two!], truths, count }));
    }
    const sums = sumUp(cells);
    return {
      figures: { cells, sums },
      measured: describeSums(sums),
      passed: passes(sums, true) && sums.harmless.length === 0,
      missed: [],
    };
  },
};
