// What is cached, and for how long; computations that are shared: single-flight.test.ts.
import { describe, expect, it, jest } from '@jest/globals';
import { answerOf, TTL_MS, build, caller, failing, giving, key, outcome, unneeded } from '../../test/support/cache.ts';
import type { CallContext } from '../core/inference.ts';
import { ENTRY_OVERHEAD_BYTES } from './answer-store.ts';

describe('a cached answer', () => {
  it('is returned for the same question', async () => {
    const { cache } = build();
    expect(await outcome(answerOf(cache, key('q'), 'USE', caller(), giving('x')))).toBe('MISS x');
    expect(await outcome(answerOf(cache, key('q'), 'USE', caller(), unneeded))).toBe('HIT x');
  });

  it('is not returned for another input with the same hash', async () => {
    const { cache } = build();
    await answerOf(cache, key('aaa'), 'USE', caller(), giving('x'));
    expect(await outcome(answerOf(cache, key('bbb'), 'USE', caller(), giving('y')))).toBe('MISS y');
  });

  it('is not returned for the same input in another scope', async () => {
    const { cache } = build();
    await answerOf(cache, key('q', 'model 1'), 'USE', caller(), giving('x'));
    expect(await outcome(answerOf(cache, key('q', 'model 2'), 'USE', caller(), giving('y')))).toBe('MISS y');
    expect(await outcome(answerOf(cache, key('q', 'model 1'), 'USE', caller(), unneeded))).toBe('HIT x');
  });

  it('does not change if the caller changes its bytes later', async () => {
    const { cache } = build();
    const askedKey = key('aaa');
    await answerOf(cache, askedKey, 'USE', caller(), giving('x'));
    askedKey.data.fill(98);
    expect(await outcome(answerOf(cache, key('aaa'), 'USE', caller(), unneeded))).toBe('HIT x');
    expect(await outcome(answerOf(cache, key('bbb'), 'USE', caller(), giving('y')))).toBe('MISS y');
  });

  it('expires after ttlMs', async () => {
    const { cache, clock } = build();
    await answerOf(cache, key('q'), 'USE', caller(), giving('x'));
    clock.ms = TTL_MS - 1;
    expect(await outcome(answerOf(cache, key('q'), 'USE', caller(), unneeded))).toBe('HIT x');
    clock.ms = TTL_MS;
    expect(await outcome(answerOf(cache, key('q'), 'USE', caller(), giving('y')))).toBe('MISS y');
  });

  it('does not live longer if it is used', async () => {
    const { cache, clock } = build();
    await answerOf(cache, key('q'), 'USE', caller(), giving('x'));
    for (clock.ms = 0; clock.ms < TTL_MS; clock.ms += 10) await answerOf(cache, key('q'), 'USE', caller(), unneeded);
    expect(await outcome(answerOf(cache, key('q'), 'USE', caller(), giving('y')))).toBe('MISS y');
  });

  it('is not made of an error', async () => {
    const { cache } = build();
    expect(await outcome(answerOf(cache, key('q'), 'USE', caller(), failing('NON_FINITE')))).toBe('NON_FINITE');
    expect(await outcome(answerOf(cache, key('q'), 'USE', caller(), giving('x')))).toBe('MISS x');
  });

  it('is replaced by REFRESH, which computes with the caller’s own context', async () => {
    const { cache } = build();
    await answerOf(cache, key('q'), 'USE', caller(), giving('x'));
    const context = caller();
    const compute = jest.fn((_context: CallContext) => Promise.resolve('y'));
    expect(await outcome(answerOf(cache, key('q'), 'REFRESH', context, compute))).toBe('MISS y');
    expect(compute).toHaveBeenCalledWith(context);
    expect(await outcome(answerOf(cache, key('q'), 'USE', caller(), unneeded))).toBe('HIT y');
  });

  it('is kept, and not returned, if a REFRESH fails', async () => {
    const { cache } = build();
    await answerOf(cache, key('q'), 'USE', caller(), giving('x'));
    expect(await outcome(answerOf(cache, key('q'), 'REFRESH', caller(), failing('NO_ENGINE')))).toBe('NO_ENGINE');
    expect(await outcome(answerOf(cache, key('q'), 'USE', caller(), unneeded))).toBe('HIT x');
  });
});

describe('the size of the cache', () => {
  it('is limited in entries: the least recently used is evicted', async () => {
    const { cache } = build({ maxEntries: 2 });
    for (const text of ['a', 'bb', 'a', 'ccc']) await answerOf(cache, key(text), 'USE', caller(), giving(text));
    expect(cache.stats).toMatchObject({ entries: 2, evictions: 1 });
    expect(await outcome(answerOf(cache, key('a'), 'USE', caller(), unneeded))).toBe('HIT a');
    expect(await outcome(answerOf(cache, key('bb'), 'USE', caller(), giving('again')))).toBe('MISS again');
  });

  it('is limited in bytes of inputs, answers and overhead', async () => {
    const entry = ENTRY_OVERHEAD_BYTES + 200;
    const { cache } = build({ maxBytes: 2 * entry + 1 });
    for (const n of [99, 100, 101]) {
      const [text, value] = ['i'.repeat(n), 'o'.repeat(200 - n)];
      await answerOf(cache, key(text), 'USE', caller(), giving(value));
    }
    expect(cache.stats).toMatchObject({ entries: 2, bytes: 2 * entry, evictions: 1 });
  });

  it('does not grow by an answer larger than the limit', async () => {
    const { cache } = build({ maxBytes: 10_000 });
    await answerOf(cache, key('small'), 'USE', caller(), giving('x'));
    expect(await outcome(answerOf(cache, key('large'), 'USE', caller(), giving('x'.repeat(10_000))))).toMatch('MISS x');
    expect(cache.stats).toMatchObject({ entries: 0, evictions: 0 });
    await answerOf(cache, key('other one'), 'USE', caller(), giving('x'));
    await answerOf(cache, key('a large one'), 'USE', caller(), giving('x'.repeat(10_000)));
    expect(await outcome(answerOf(cache, key('other one'), 'USE', caller(), unneeded))).toBe('HIT x');
  });

  it('reserves memory only for as many entries as fit into maxBytes', () => {
    const began = process.memoryUsage().rss;
    build({ maxEntries: 10_000_000, maxBytes: 1_024 });
    expect(process.memoryUsage().rss - began).toBeLessThan(50e6);
  });

  it('is 0 if answers are never fresh and never stale', async () => {
    const { cache } = build({ ttlMs: 0, staleMs: 0 });
    await answerOf(cache, key('q'), 'USE', caller(), giving('x'));
    expect(cache.stats.entries).toBe(0);
  });
});
