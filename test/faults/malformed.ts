// One engine of three gives answers that no run can have.
import { MALFORMED } from '../fakes/lies.ts';
import { WRONG_ENGINE_SETTINGS, describeSums, passes, playWrongEngine, sumUp } from './judging.ts';
import type { Scenario } from './scenario.ts';

const REQUESTS = 6_000;

export const malformed: Scenario = {
  name: 'malformed',
  fault: 'one engine of three gives malformed answers, of every shape',
  settings: WRONG_ENGINE_SETTINGS,
  bar: 'REDUNDANT: 0 wrong, 0 failed; out within 10 dissents; without a vote 0 wrong, 0 failed',
  async run(stage) {
    const truths = await stage.truths();
    const [one, two, behind] = await stage.sidecars(3);
    const liar = await stage.programmable(behind!);
    const count = Math.ceil((stage.options.count ?? REQUESTS) / MALFORMED.length);
    const cells = [];
    for (const { name, tamper } of MALFORMED) {
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
