// A computation that its leader runs by itself and that others may join.
import { describe, expect, it } from '@jest/globals';
import { answerOf, TTL_MS, build, caller, giving, key, outcome, settle, unneeded } from '../../test/support/cache.ts';
import { RouterError } from '../core/errors.ts';

const failed = (kind: 'ENGINE_LOST' | 'NON_FINITE'): { error: RouterError; value: undefined } => ({
  error: new RouterError(kind, 'failed'),
  value: undefined,
});
const giveX = { error: undefined, value: 'x' };

describe('AnswerCache.lead', () => {
  it('gives the answer to those that joined, and stores it', async () => {
    const { cache } = build();
    const end = cache.lead(key('q'), caller())!;
    const joined = outcome(answerOf(cache, key('q'), 'USE', caller(), unneeded));
    expect(cache.stats.flights).toBe(1);
    end(giveX);
    expect(await joined).toBe('COALESCED x');
    expect([cache.fresh(key('q')), cache.stats.flights]).toEqual(['x', 0]);
  });

  it('is undefined while an equal question is computed', () => {
    const { cache } = build();
    const end = cache.lead(key('q'), caller())!;
    expect(cache.lead(key('q'), caller())).toBeUndefined();
    expect(cache.lead(key('other'), caller())).toBeDefined();
    end(failed('NON_FINITE'));
    expect(cache.lead(key('q'), caller())).toBeDefined();
  });

  it('passes an error on to those that joined, and stores nothing', async () => {
    const { cache } = build();
    const end = cache.lead(key('q'), caller())!;
    const joined = outcome(answerOf(cache, key('q'), 'USE', caller(), unneeded));
    end(failed('NON_FINITE'));
    expect([await joined, cache.stats.entries]).toEqual(['NON_FINITE', 0]);
  });

  it('stores the answer, too, if all that joined have left', async () => {
    const { cache } = build();
    const end = cache.lead(key('q'), caller())!;
    const leaving = caller();
    const joined = outcome(answerOf(cache, key('q'), 'USE', leaving, unneeded));
    leaving.leave();
    expect(await joined).toBe('CANCELLED');
    const next = cache.lead(key('q'), caller());
    end(giveX);
    expect([cache.fresh(key('q')), cache.stats.flights]).toEqual(['x', 1]);
    next!(giveX);
    expect(cache.stats.flights).toBe(0);
  });

  it('tells a joined caller the trace of its leader', async () => {
    const { cache } = build();
    const noted: unknown[] = [];
    const spanOf = (traceId: string): never => {
      const root = { set: (name: string, value: unknown) => noted.push([traceId, name, value]) };
      return { trace: { traceId, root } } as never;
    };
    const traced = cache.lead(key('q'), { ...caller(), span: spanOf('leader') })!;
    const joined = answerOf(cache, key('q'), 'USE', { ...caller(), span: spanOf('joined') }, unneeded);
    traced(giveX);
    await joined;
    const untraced = cache.lead(key('other'), caller())!;
    const other = answerOf(cache, key('other'), 'USE', { ...caller(), span: spanOf('other') }, unneeded);
    untraced(giveX);
    await other;
    expect(noted).toEqual([['joined', 'tandem.leader_trace_id', 'leader']]);
  });
});

describe('AnswerCache.instead', () => {
  const noEngine = new RouterError('NO_ENGINE', 'none');

  it('is the cached answer, fresh or stale, if no engine can answer', async () => {
    const { cache, clock } = build();
    expect(cache.instead(key('q'), noEngine)).toBeUndefined();
    await answerOf(cache, key('q'), 'USE', caller(), giving('x'));
    expect(cache.instead(key('q'), noEngine)).toEqual({ value: 'x', status: 'HIT' });
    clock.ms = TTL_MS;
    expect(cache.instead(key('q'), noEngine)).toEqual({ value: 'x', status: 'STALE' });
    expect(cache.instead(key('q'), new RouterError('NON_FINITE', 'refused'))).toBeUndefined();
    expect(cache.instead(key('p'), noEngine)).toBeUndefined();
  });
});

describe('AnswerCache.configure', () => {
  it('sets how long later answers are fresh and stale', async () => {
    const { cache, clock } = build();
    await answerOf(cache, key('old'), 'USE', caller(), giving('x'));
    cache.configure({ ttlMs: 10, staleMs: 20 });
    await answerOf(cache, key('later'), 'USE', caller(), giving('y'));
    clock.ms = 10;
    expect([cache.fresh(key('old')), cache.fresh(key('later'))]).toEqual(['x', undefined]);
    const noEngine = new RouterError('NO_ENGINE', 'none');
    clock.ms = 29;
    expect(cache.instead(key('later'), noEngine)).toEqual({ value: 'y', status: 'STALE' });
    clock.ms = 30;
    expect(cache.instead(key('later'), noEngine)).toBeUndefined();
  });
});

describe('a wrong cached answer', () => {
  it('is removed by its key, whatever the input', async () => {
    const { cache } = build();
    for (const text of ['q', 'other']) await answerOf(cache, key(text), 'USE', caller(), giving(text));
    cache.delete(key('q'));
    expect([cache.fresh(key('q')), cache.fresh(key('other'))]).toEqual([undefined, 'other']);
  });

  it('is removed with all others that are wrong', async () => {
    const { cache } = build();
    for (const text of ['lie', 'truth']) await answerOf(cache, key(text), 'USE', caller(), giving(text));
    cache.deleteWhere((value) => value === 'lie');
    expect([cache.fresh(key('lie')), cache.fresh(key('truth'))]).toEqual([undefined, 'truth']);
  });
});

describe('a shared computation', () => {
  it('gets the owner and the span of its leader', async () => {
    const { cache } = build();
    const owner = {};
    const span = { trace: { traceId: 't' } } as never;
    const contexts: unknown[] = [];
    await cache.compute(key('q'), 'USE', { ...caller(500), owner, span }, (context) => {
      contexts.push([context.owner, context.span, context.deadlineMs]);
      return Promise.resolve('x');
    });
    expect(contexts).toEqual([[owner, span, 500]]);
  });

  it('keeps its followers if their deadline is too far for a timer', async () => {
    const { cache } = build();
    const end = cache.lead(key('q'), caller())!;
    const joined = outcome(answerOf(cache, key('q'), 'USE', caller(2 ** 31), unneeded));
    await settle();
    await settle();
    end(giveX);
    expect(await joined).toBe('COALESCED x');
  });
});
