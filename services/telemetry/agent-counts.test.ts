import { describe, expect, it } from '@jest/globals';
import { AgentCounts, MAX_CALLERS } from './agent-counts.ts';
import { agentFamilies } from './agent-families.ts';

const USAGE = { promptTokens: 3, completionTokens: 2 };

describe('AgentCounts', () => {
  it('counts answers by source and reason, and tokens by caller', () => {
    const counts = new AgentCounts();
    counts.agentAnswered('Query', undefined);
    counts.agentAnswered('Query', 'TIMEOUT');
    counts.agentAnswered('AnalyzeGoal', 'TIMEOUT');
    counts.providerUsed('bob', USAGE, 1);
    counts.providerUsed('bob', USAGE, 0.5);
    expect(counts.snapshot()).toEqual({
      methods: [
        { method: 'AnalyzeGoal', answered: 0, fallbacks: { TIMEOUT: 1 } },
        { method: 'Query', answered: 1, fallbacks: { TIMEOUT: 1 } },
      ],
      callers: [{ caller: 'bob', requests: 2, promptTokens: 6, completionTokens: 4, usd: 1.5 }],
    });
  });

  it('continues from saved counts', () => {
    const before = new AgentCounts();
    before.agentAnswered('Query', 'BUDGET');
    before.providerUsed('bob', USAGE, 1);
    const after = new AgentCounts();
    after.restore(before.snapshot());
    after.providerUsed('bob', USAGE, 1);
    expect(after.snapshot().callers[0]).toMatchObject({ requests: 2, usd: 2 });
    expect(after.snapshot().methods).toEqual(before.snapshot().methods);
  });

  it('limits the number of series for any number of callers', () => {
    const counts = new AgentCounts();
    for (let k = 0; k < 1_000; k += 1) counts.providerUsed(`caller-${k}`, USAGE, 0);
    const { callers } = counts.snapshot();
    expect(callers).toHaveLength(MAX_CALLERS + 1);
    expect(callers.reduce((sum, { requests }) => sum + requests, 0)).toBe(1_000);
    const [, , requests] = agentFamilies(counts.snapshot());
    expect(requests!.samples).toHaveLength(MAX_CALLERS + 1);
  });
});
