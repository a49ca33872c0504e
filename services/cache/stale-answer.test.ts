// When a stale answer is returned because no engine can give a new one.
import { describe, expect, it } from '@jest/globals';
import {
  answerOf,
  Computations,
  STALE_MS,
  TTL_MS,
  build,
  caller,
  failing,
  giving,
  key,
  outcome,
} from '../../test/support/cache.ts';
import type { ErrorKind } from '../core/errors.ts';

describe('a stale answer', () => {
  async function withStale(): Promise<ReturnType<typeof build>> {
    const built = build();
    await answerOf(built.cache, key('q'), 'USE', caller(), giving('old'));
    built.clock.ms = TTL_MS;
    return built;
  }

  it.each<ErrorKind>(['NO_ENGINE', 'VOTE_TOO_FEW', 'ROUTER_FULL', 'ENGINE_FULL'])(
    'is returned instead of %s',
    async (kind) => {
      const { cache } = await withStale();
      expect(await outcome(answerOf(cache, key('q'), 'USE', caller(), failing(kind)))).toBe('STALE old');
    },
  );

  it.each<ErrorKind>(['VOTE_DISPUTED', 'MODEL_INVALID', 'INTERNAL', 'ENGINE_FAULT', 'CANCELLED', 'DEADLINE_EXCEEDED'])(
    'is not returned instead of %s',
    async (kind) => {
      const { cache } = await withStale();
      expect(await outcome(answerOf(cache, key('q'), 'USE', caller(), failing(kind)))).toBe(kind);
    },
  );

  it('expires after staleMs', async () => {
    const { cache, clock } = await withStale();
    clock.ms = TTL_MS + STALE_MS - 1;
    expect(await outcome(answerOf(cache, key('q'), 'USE', caller(), failing('NO_ENGINE')))).toBe('STALE old');
    clock.ms = TTL_MS + STALE_MS;
    expect(await outcome(answerOf(cache, key('q'), 'USE', caller(), failing('NO_ENGINE')))).toBe('NO_ENGINE');
  });

  it('is returned only after an engine was tried', async () => {
    const { cache } = await withStale();
    await answerOf(cache, key('q'), 'USE', caller(), failing('NO_ENGINE'));
    expect(await outcome(answerOf(cache, key('q'), 'USE', caller(), giving('new')))).toBe('MISS new');
  });

  it('is not returned for REFRESH', async () => {
    const { cache } = await withStale();
    expect(await outcome(answerOf(cache, key('q'), 'REFRESH', caller(), failing('NO_ENGINE')))).toBe('NO_ENGINE');
  });

  it('is not returned for another input with the same hash', async () => {
    const { cache } = await withStale();
    expect(await outcome(answerOf(cache, key('p'), 'USE', caller(), failing('NO_ENGINE')))).toBe('NO_ENGINE');
  });

  it('is returned to followers without another attempt', async () => {
    const { cache } = await withStale();
    const work = new Computations();
    const answers = [1, 2, 3].map(() => outcome(answerOf(cache, key('q'), 'USE', caller(), work.compute)));
    work.started[0]!.fail('NO_ENGINE');
    expect(await Promise.all(answers)).toEqual(['STALE old', 'STALE old', 'STALE old']);
    expect(work.started.length).toBe(1);
  });

  it('is not returned to a caller that has left', async () => {
    const { cache } = await withStale();
    const leader = caller();
    const answer = outcome(answerOf(cache, key('q'), 'USE', leader, new Computations().compute));
    leader.leave('DRAINING');
    expect(await answer).toBe('DRAINING');
  });

  it('is not returned if a fresh one was stored meanwhile', async () => {
    const { cache } = await withStale();
    const work = new Computations();
    const answer = outcome(answerOf(cache, key('q'), 'USE', caller(), work.compute));
    await answerOf(cache, key('q'), 'REFRESH', caller(), giving('new'));
    work.started[0]!.fail('NO_ENGINE');
    expect(await answer).toBe('HIT new');
  });
});
