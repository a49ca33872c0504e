// How a group uses the parts of the router: what is planned, counted, cached and freed.
import { describe, expect, it, jest } from '@jest/globals';
import { type FakeEngine, fakeInference } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker, fakeTracing, silent } from '../../test/fakes/fake-parts.ts';
import { cacheOf, enginesOf, other, same, together } from '../../test/fakes/grouped.ts';
import { build, buildWhole, context, engine, lost, question, version } from '../../test/fakes/router-parts.ts';
import type { OpenSpan } from '../core/request-trace.ts';
import { RouterError } from '../core/errors.ts';
import type { InferenceInput, InferenceListener } from '../core/inference.ts';
import { Admission } from './admission.ts';
import { LatencyQuantile } from './latency-quantile.ts';
import { RetryBudget } from './retry-budget.ts';

/** An engine that gets groups as a whole; `groups`: the sizes of those that it got. */
function grouping(id: string): { readonly engine: FakeEngine; readonly groups: number[] } {
  const groups: number[] = [];
  const grouped = engine(id);
  const inferEach = (inputs: readonly InferenceInput[], _context: unknown, listener: InferenceListener): void => {
    groups.push(inputs.length);
    setImmediate(() => inputs.forEach((_, index) => listener.answered(index, fakeInference())));
  };
  return { engine: Object.assign(grouped, { inferEach }), groups };
}

describe('the size of a group for one engine', () => {
  it('is one while its speed is unknown, and then at most 16', async () => {
    const { engine: only, groups } = grouping('a');
    const router = build([only]);
    await together(router, same(3));
    expect(groups).toEqual([1, 1, 1]);
    await together(router, same(40));
    expect(groups.slice(3)).toEqual([16, 16, 8]);
  });

  it('is an equal share of the requests', async () => {
    const engines = [grouping('a'), grouping('b')];
    const router = build(engines.map(({ engine: each }) => each));
    for (let n = 0; n < 4; n += 1) await together(router, same(1));
    for (const { groups } of engines) groups.length = 0;
    await together(router, same(7));
    expect(engines.map(({ groups }) => groups)).toEqual([[4], [3]]);
  });

  it.each([
    [2, 2],
    [1, 1],
  ])('is at most the number of its free slots: of %d %d', async (slots, size) => {
    const [full, free] = [grouping('full'), grouping('free')];
    const { router, pool } = buildWhole([full.engine, free.engine]);
    for (let n = 0; n < 4; n += 1) await together(router, same(1));
    for (const { groups } of [full, free]) groups.length = 0;
    full.engine.inFlight = pool.find('full').limit.limit - slots;
    const { said } = await together(router, same(6));
    expect([said.length, full.groups[0], free.groups[0]]).toEqual([6, size, 3]);
  });

  it('is none for an engine whose breaker tries it again: each request goes alone', async () => {
    jest.useFakeTimers();
    const { engine: only, groups } = grouping('a');
    const { router, pool } = buildWhole([only]);
    pool.find('a').breaker.trip('by hand');
    jest.advanceTimersByTime(fakeBreaker.resetMs);
    const { alone } = await together(router, same(3));
    jest.useRealTimers();
    expect([alone, groups, router.inFlight]).toEqual([3, [], 0]);
  });
});

describe('a group that no engine can take', () => {
  it('ends each request with NO_ENGINE', async () => {
    const only = engine('a');
    const admission = new Admission({ maxQueue: 100, maxWaitMs: 1_000 });
    const left = jest.spyOn(admission, 'leave');
    const { router, pool } = buildWhole([only], undefined, { admission });
    pool.find('a').breaker.trip('by hand');
    const { said } = await together(router, same(3));
    expect([said.map(cacheOf), router.inFlight]).toEqual([['NO_ENGINE', 'NO_ENGINE', 'NO_ENGINE'], 0]);
    expect(left.mock.calls.map(([, isAnswered]) => isAnswered)).toEqual([false, false, false]);
  });
});

describe('each request of a group', () => {
  it('is counted as planned, and earns its part of the retry budget', async () => {
    const planned: string[] = [];
    const observer = { ...silent, planned: (strategy: string) => void planned.push(strategy) };
    const budget = new RetryBudget(100, 20);
    const deposit = jest.spyOn(budget, 'deposit');
    const router = build([grouping('a').engine], undefined, { observer, budget });
    for (const count of [1, 5]) await together(router, same(count));
    expect([planned, deposit.mock.calls.length]).toEqual([Array(6).fill('ROUND_ROBIN'), 6]);
  });

  it('is recorded with its use of the cache, its end and its latency', async () => {
    const uses: string[] = [];
    const observer = { ...silent, cacheUsed: (status: string) => void uses.push(status) };
    let ends = 0;
    const overload = { refusal: () => undefined, recordEnd: () => void (ends += 1) };
    const latencyQuantile = new LatencyQuantile(95);
    const recorded = jest.spyOn(latencyQuantile, 'record');
    const only = engine('a');
    const router = build([only], undefined, { observer, overload, latencyQuantile, maxAttempts: 1 });
    await together(router, [other(1), question()]);
    await together(router, [other(1)]);
    expect([uses, ends]).toEqual([['MISS', 'BYPASSED', 'HIT'], 3]);
    expect(recorded.mock.calls).toEqual([
      ['m/1', expect.any(Number)],
      ['m/1', expect.any(Number)],
    ]);
    for (const [, latencyMs] of recorded.mock.calls) {
      expect(latencyMs).toBeGreaterThanOrEqual(0);
      expect(latencyMs).toBeLessThan(60_000);
    }
    only.behaviour = lost;
    await together(router, same(2));
    expect([uses.length, ends]).toEqual([3, 5]);
  });

  it('holds its model version until it ends, also if it runs alone', async () => {
    const [only, held] = [engine('a'), version(1)];
    const router = build([only], [held]);
    const answered = together(router, same(2));
    expect(held.use.count).toBe(2);
    await answered;
    await together(router, same(2, { strategy: 'HEDGED' }));
    only.behaviour = lost;
    await together(router, same(2));
    expect(held.use.count).toBe(0);
  });

  it('has a span for its attempt, below its own span', async () => {
    const tracing = fakeTracing();
    const roots: OpenSpan[] = [];
    const spanOf = (): OpenSpan => {
      const { root } = tracing.begin('test', 0, '', '');
      roots.push(root);
      return root;
    };
    await together(build([engine('a')]), same(2), context(), spanOf);
    expect(roots.map(({ trace }) => trace.spans.map(({ name, kind }) => [name, kind]))).toEqual([
      [['attempt a', 'CLIENT']],
      [['attempt a', 'CLIENT']],
    ]);
  });

  it('needs no span', async () => {
    const { said } = await together(build([engine('a')]), same(2), context(), () => undefined);
    expect(said.map(enginesOf)).toEqual(['a OK', 'a OK']);
  });

  it('goes with others of its strategy only', async () => {
    const { engine: only, groups } = grouping('a');
    const router = build([only]);
    await together(router, same(1));
    await together(router, [...same(2), ...same(2, { strategy: 'LOCAL_FIRST' })]);
    expect(groups).toEqual([1, 2, 2]);
  });
});

describe('the cache of a group', () => {
  it('is not used for REFRESH, which goes alone', async () => {
    const router = build([engine('a')]);
    await together(router, [other(1)]);
    expect(await together(router, [other(1, { cache: 'REFRESH' })])).toEqual({ said: [], alone: 1 });
  });

  it('is neither read nor written for BYPASS', async () => {
    const router = build([engine('a')]);
    await together(router, [other(1, { cache: 'BYPASS' })]);
    expect((await together(router, [other(1)])).said.map(cacheOf)).toEqual(['MISS']);
    expect((await together(router, [other(1, { cache: 'BYPASS' })])).said.map(cacheOf)).toEqual(['BYPASSED']);
  });

  it('has no answer of an engine that was quarantined while it computed', async () => {
    const only = engine('a');
    const { router, pool } = buildWhole([only]);
    const { behaviour } = only;
    only.behaviour = (...call) => {
      pool.setQuarantine(pool.find('a'), 'it contradicted the majority');
      return behaviour(...call);
    };
    await together(router, [other(1)]);
    pool.setQuarantine(pool.find('a'), '');
    expect((await together(router, [other(1)])).said.map(cacheOf)).toEqual(['MISS']);
  });

  it('lets a request that joined compute by itself if the group fails', async () => {
    const only = engine('a');
    let fail: () => void = () => undefined;
    only.behaviour = () =>
      new Promise((_, reject) => {
        fail = () => reject(new RouterError('ENGINE_LOST', 'gone'));
      });
    const router = build([only], undefined, { maxAttempts: 1 });
    const grouped = together(router, [other(1)]);
    const joined = router.reason(other(1), context());
    only.behaviour = () => Promise.resolve(fakeInference());
    fail();
    expect((await grouped).said.map(cacheOf)).toEqual(['NO_ENGINE']);
    expect((await joined).cache).toBe('MISS');
  });

  it('gives no stale answer to a caller that has left', async () => {
    const only = engine('a');
    const { router } = buildWhole([only], undefined, { maxAttempts: 1 }, 0);
    await together(router, [other(1)]);
    const limits = context();
    only.behaviour = () => {
      limits.controller.abort(new RouterError('CANCELLED', 'the caller left'));
      return lost();
    };
    expect((await together(router, [other(1)], limits)).said.map(cacheOf)).not.toContain('STALE');
  });
});
