// An engine has other weights for the name and version of the router's model. It is never asked, and it is named.
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withOtherWeight } from '../support/other-weights.ts';
import { SINGLE_STRATEGIES, type StrategyName, ask, judged, total, untilConnected } from './judging.ts';
import type { Scenario } from './scenario.ts';
import { SUPERSENSE } from '../support/models.ts';

const REQUESTS = 4_000;
const MODELS = SUPERSENSE;
const FILE = 'supersense/1/model.nir';
const WEIGHT = 'node/nodes/affine1/weight';

interface Cell {
  readonly name: string;
  /** Engines with other weights; the rest of three are honest. */
  readonly others: number;
  readonly strategies: readonly StrategyName[];
}

const CELLS: readonly Cell[] = [
  { name: 'one of three', others: 1, strategies: ['REDUNDANT', ...SINGLE_STRATEGIES] },
  // They are the majority of the engines, but their weights are not those of the repository.
  { name: 'two of three', others: 2, strategies: SINGLE_STRATEGIES },
];

export const otherWeights: Scenario = {
  name: 'other-weights',
  fault: 'engines with other weights under the same name and version: one of three, and two of three',
  settings: { vote: { audit_rate: 0.05 } },
  bar: '0 wrong, 0 failed; never asked; ListEngines says which and why',
  async run(stage) {
    const truths = await stage.truths();
    const honest = await stage.sidecars(2);
    const others = await stage.sidecars(2, repositoryWithOtherWeight());
    const strategies = CELLS.reduce((sum, cell) => sum + cell.strategies.length, 0);
    const count = Math.ceil((stage.options.count ?? REQUESTS) / strategies);
    const cells = [];
    for (const cell of CELLS) {
      const engines = [...others.slice(0, cell.others), ...honest].slice(0, 3);
      const router = await stage.router(this.settings, engines);
      await untilConnected(
        router.operator,
        engines.map((_, at) => `engine-${at + 1}`),
      );
      const by: Record<string, ReturnType<typeof judged>> = {};
      for (const strategy of cell.strategies) by[strategy] = judged(await ask(stage, router, strategy, count), truths);
      const listed = (await router.operator.engines()).slice(0, cell.others);
      const attempts = total(listed.map(({ succeeded, failed }) => Number(succeeded + failed)));
      const named = listed.map(({ modelProblems }) => modelProblems.map(({ model, why }) => `${model}: ${why}`).join());
      cells.push({ name: cell.name, by, attempts, named });
      stage.progress(JSON.stringify(cells.at(-1)));
      await router.stop();
    }
    const all = cells.flatMap(({ by }) => Object.values(by));
    const wrong = total(all.map((each) => each.wrong));
    const failed = total(all.flatMap((each) => Object.values(each.failed)));
    const attempted = total(cells.map((each) => each.attempts));
    const isNamed = cells.every(({ named }) => named.every((why) => why.startsWith('supersense/1: ')));
    return {
      figures: { cells },
      measured:
        `${wrong} wrong and ${failed} failed of ${total(all.map(({ requests }) => requests))}; asked ${attempted} times; ` +
        (isNamed ? `named: ${cells[0]!.named[0]}` : 'not named'),
      passed: wrong === 0 && failed === 0 && attempted === 0 && isNamed,
      missed: [],
    };
  },
};

/** The shipped repository with one other weight. */
function repositoryWithOtherWeight(): string {
  const dir = mkdtempSync(join(tmpdir(), 'tandem-other-weights-'));
  cpSync(MODELS, dir, { recursive: true });
  const file = join(dir, FILE);
  writeFileSync(file, withOtherWeight(readFileSync(file), WEIGHT));
  return dir;
}
