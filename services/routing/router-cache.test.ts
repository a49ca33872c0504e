import { describe, expect, it } from '@jest/globals';
import { version, engine, build, buildWhole, question, context } from '../../test/fakes/router-parts.ts';
import { fakeModel, fakePinned } from '../../test/fakes/fake-engine.ts';

describe('the result cache', () => {
  it('returns the cached answer to an equal request, with the engine that computed it', async () => {
    const only = engine('a');
    const router = build([only]);
    const first = await router.reason(question({ cache: 'USE' }), context());
    const second = await router.reason(question({ cache: 'USE' }), context());
    expect([first.cache, second.cache, second.attempts.length, only.calls.length]).toEqual(['MISS', 'HIT', 0, 1]);
    expect(second.answer).toEqual(first.answer);
  });

  it('does not use a cached answer of a single engine for a vote', async () => {
    const router = build(['a', 'b', 'c'].map(engine));
    await router.reason(question({ cache: 'USE' }), context());
    const voted = await router.reason(question({ cache: 'USE', strategy: 'REDUNDANT' }), context());
    expect([voted.cache, voted.grade]).toEqual(['MISS', 'UNANIMOUS']);
  });

  it('does not cache the answer of an engine that was quarantined while it computed', async () => {
    const only = engine('a');
    const { router, pool } = buildWhole([only]);
    const honest = only.behaviour;
    only.behaviour = (input, limits) => {
      pool.setQuarantine(pool.find('a'), 'it contradicted the majority');
      return honest(input, limits);
    };
    await router.reason(question({ cache: 'USE' }), context());
    pool.setQuarantine(pool.find('a'), '');
    expect((await router.reason(question({ cache: 'USE' }), context())).cache).toBe('MISS');
  });

  it('has no hit if the weights under the same name have changed', async () => {
    const only = engine('a');
    let modelId = 7n;
    const pins = { find: () => fakePinned({ modelId }) };
    const router = build([only], [version(1)], {}, 1e6, pins);
    await router.reason(question({ cache: 'USE' }), context());
    modelId = 8n;
    only.up(fakeModel({ modelId }));
    expect((await router.reason(question({ cache: 'USE' }), context())).cache).toBe('MISS');
  });

  it('returns a stale answer, marked STALE, if all engines are lost', async () => {
    const only = engine('a');
    const router = build([only], [version(1)], {}, 0);
    await router.reason(question({ cache: 'USE' }), context());
    only.down('killed');
    const stale = await router.reason(question({ cache: 'USE' }), context());
    expect([stale.cache, stale.grade, stale.answer.label]).toEqual(['STALE', 'STALE', 'yes']);
    const data = Buffer.from(new Float32Array([3, 2, 1]).buffer);
    const unseen = question({ cache: 'USE', input: { field: 'encoding', shape: [3], dtype: 'FP32', data } });
    await expect(router.reason(unseen, context())).rejects.toMatchObject({ kind: 'NO_ENGINE' });
    await expect(router.reason(question(), context())).rejects.toMatchObject({ kind: 'NO_ENGINE' });
  });
});
