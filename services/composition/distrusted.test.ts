import { describe, expect, it } from '@jest/globals';
import { answerOf } from '../../test/support/cache.ts';
import { AnswerCache } from '../cache/answer-cache.ts';
import { type Answer, sizeOf } from '../routing/answer.ts';
import { forgetDistrusted } from './distrusted.ts';

describe('forgetDistrusted', () => {
  it('removes cached answers of a quarantined engine and keeps the others', async () => {
    const cache = new AnswerCache<Answer>({ maxEntries: 10, maxBytes: 1e6, ttlMs: 1e6, staleMs: 0, sizeOf });
    const limits = { deadlineMs: Infinity, signal: new AbortController().signal };
    const ask = async (id: string): Promise<string> => {
      const key = { scope: id, hash: 1n, data: Buffer.alloc(4) };
      const rest = { isFirm: true, ballots: [], scores: [], inference: { spikeCounts: [] } };
      const answer = { ...rest, engine: { id, kind: 'sidecar', build: '' } } as unknown as Answer;
      return (await answerOf(cache, key, 'USE', limits, () => Promise.resolve(answer))).status;
    };
    await ask('liar');
    await ask('honest');
    const engines = [
      { id: 'liar', quarantine: 'it contradicted the majority' },
      { id: 'honest', quarantine: '' },
    ];
    forgetDistrusted(cache, { engines } as never);
    expect([await ask('liar'), await ask('honest')]).toEqual(['MISS', 'HIT']);
  });
});
