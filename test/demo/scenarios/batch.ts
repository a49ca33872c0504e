import { CacheMode } from '../../../services/generated/tandem/v1/types.ts';
import { callBatch } from '../../support/batch-call.ts';
import type { Scenario } from '../scenario.ts';
import { tensorOf } from '../stage.ts';

const BAD = 7;

export const batch: Scenario = {
  name: 'batch',
  title: 'Batch',
  why: 'Many inputs in one call, spread over all engines. One bad input fails alone.',
  async run(stage, page) {
    const requests = stage.heldout.map((item, index) =>
      index === BAD ? { encoding: [1, 2, 3] } : { tensor: tensorOf(item), cache: CacheMode.CACHE_MODE_BYPASS },
    );
    const startMs = performance.now();
    const results = await callBatch(stage.system.client, requests).results;
    const tookMs = performance.now() - startMs;

    const engines = new Map<string, number>();
    let right = 0;
    for (const [index, { outcome }] of results.entries()) {
      if (outcome?.$case !== 'result') continue;
      const { engine, label } = outcome.value;
      engines.set(engine!.engineId, (engines.get(engine!.engineId) ?? 0) + 1);
      if (label === stage.heldout[index]!.label) right += 1;
    }
    const answered = [...engines.values()].reduce((sum, count) => sum + count, 0);
    page.say(`${requests.length} texts in one ReasonBatch: ${tookMs.toFixed(0)} ms. Answers by engine:`);
    page.bars([...engines].sort().map(([name, value]) => ({ name, value, text: `${value} texts` })));
    page.claim(
      `every input but one has an answer: ${answered} of ${requests.length}`,
      answered === requests.length - 1,
    );
    const bad = results[BAD]!.outcome;
    const refusal = bad?.$case === 'error' ? `${bad.value.reason}: ${bad.value.message}` : 'answered';
    page.claim(`input ${BAD} failed alone: ${refusal}`, bad?.$case === 'error' && bad.value.reason === 'INPUT_LENGTH');
    const percent = (right / answered) * 100;
    page.claim(`${percent.toFixed(1)} % of the labels are right (the model's own figure: 81.8 %)`, percent > 80);
  },
};
