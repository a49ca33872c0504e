import { hex64 } from '../../../services/core/hex.ts';
import type { ReasonResponse } from '../../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode, EngineKind, Strategy } from '../../../services/generated/tandem/v1/types.ts';
import type { Scenario } from '../scenario.ts';

export const basic: Scenario = {
  name: 'basic',
  title: 'Basic reasoning',
  why: 'One input, one answer. C++ and TypeScript engines give exactly the same answer.',
  async run(stage, page) {
    const item = stage.heldout.find(({ label }) => label === 'noun.animal')!;
    const answers = new Map<string, ReasonResponse>();
    for (let count = 0; count < 40 && answers.size < 4; count += 1) {
      const answer = await stage.reason(item, {
        strategy: Strategy.STRATEGY_ROUND_ROBIN,
        cache: CacheMode.CACHE_MODE_BYPASS,
      });
      answers.set(answer.engine!.engineId, answer);
    }
    const [first] = answers.values();
    page.say(`“${item.text}”`);
    const best = first!.scores.map((score, index) => ({ score, index })).sort((a, b) => b.score - a.score);
    page.bars(
      best.slice(0, 4).map(({ score, index }) => {
        const spikes = `${first!.spikeCounts[index]} spikes`;
        return { name: stage.labels[index]!, value: score, text: `${(score * 100).toFixed(1)} %, ${spikes}` };
      }),
    );
    page.table(
      ['ENGINE', 'KIND', 'DIGEST OF ITS STATE', 'SPIKES'],
      [...answers].map(([id, { engine, stateDigest, totalSpikes }]) => [
        id,
        engine!.kind === EngineKind.ENGINE_KIND_LOCAL ? 'TypeScript' : 'C++',
        hex64(stateDigest),
        Number(totalSpikes),
      ]),
    );
    page.claim('the text is an animal', first!.label === 'noun.animal');
    page.claim('all four engines answered', answers.size === 4);
    const digests = new Set([...answers.values()].map(({ stateDigest }) => stateDigest));
    page.claim('their digests are equal: every potential and spike is exactly the same', digests.size === 1);
  },
};
