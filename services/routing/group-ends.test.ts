// How the requests of a group end: once each, with their audit, and without anything left behind.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type FakeEngine, fakeInference } from '../../test/fakes/fake-engine.ts';
import { silent } from '../../test/fakes/fake-parts.ts';
import { cacheOf, enginesOf, other, same, together } from '../../test/fakes/grouped.ts';
import { build, buildWhole, engine, lost } from '../../test/fakes/router-parts.ts';
import { RouterError } from '../core/errors.ts';
import type { Inference } from '../core/inference.ts';
import { Admission } from './admission.ts';
import { Audit } from './audit.ts';
import { LatencyQuantile } from './latency-quantile.ts';
import type { Router } from './router.ts';

/** The requests that an engine has got and not answered. */
function holding(held: FakeEngine): PromiseWithResolvers<Inference>[] {
  const open: PromiseWithResolvers<Inference>[] = [];
  held.behaviour = () => {
    const call = Promise.withResolvers<Inference>();
    open.push(call);
    return call.promise;
  };
  return open;
}

/** An audit, and the ids of the engines in its claims and in its plan, for each request. */
function watchedAudit(): { readonly audit: Audit; readonly audited: [string[], string[]][] } {
  const audit = new Audit({ rate: 0, observer: silent, onDispute: () => undefined });
  const audited: [string[], string[]][] = [];
  jest.spyOn(audit, 'maybeAudit').mockImplementation((claims, engines) => {
    audited.push([claims.map(({ engine: { id } }) => id), engines.map(({ id }) => id)]);
  });
  return { audit, audited };
}

describe('the audit of a group', () => {
  it('gets each request with all engines that may be asked', async () => {
    const { audit, audited } = watchedAudit();
    const router = build(['a', 'b'].map(engine), undefined, { audit });
    for (let n = 0; n < 2; n += 1) await together(router, same(1));
    audited.length = 0;
    await together(router, same(4));
    const all = ['a', 'b'];
    expect(audited.toSorted()).toEqual([
      [['a'], all],
      [['a'], all],
      [['b'], all],
      [['b'], all],
    ]);
  });

  it('gets the refusals of a request that fails', async () => {
    const { audit, audited } = watchedAudit();
    const engines = ['a', 'b'].map(engine);
    for (const each of engines) each.behaviour = () => Promise.reject(new RouterError('NON_FINITE', 'on purpose'));
    const { said } = await together(build(engines, undefined, { audit }), same(1));
    expect([said.map(cacheOf), audited]).toEqual([
      ['NON_FINITE'],
      [
        [
          ['a', 'b'],
          ['a', 'b'],
        ],
      ],
    ]);
  });
});

describe('a request of a group', () => {
  it('that goes alone has left the admission without an answer', async () => {
    const admission = new Admission({ maxQueue: 100, maxWaitMs: 1_000 });
    const left = jest.spyOn(admission, 'leave');
    const { alone } = await together(build([engine('a')], undefined, { admission }), [other(1), other(1)]);
    expect([alone, left.mock.calls.map(([, isAnswered]) => isAnswered)]).toEqual([1, [false, true]]);
  });

  it('fails if its answer cannot be made', async () => {
    const latencyQuantile = new LatencyQuantile(95);
    jest.spyOn(latencyQuantile, 'record').mockImplementation(() => {
      throw new Error('a bug');
    });
    const router = build([engine('a')], undefined, { latencyQuantile });
    expect((await together(router, same(2))).said.map(cacheOf)).toEqual(['INTERNAL', 'INTERNAL']);
    expect(router.inFlight).toBe(0);
  });
});

describe('with a fake clock, a group', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

  it('gets a stale answer again as a stale one', async () => {
    const only = engine('a');
    const { router } = buildWhole([only], undefined, {}, 100);
    await together(router, [other(1)]);
    await pass(100);
    only.behaviour = lost;
    for (let n = 0; n < 2; n += 1) {
      expect((await together(router, [other(1)])).said.map(cacheOf)).toEqual(['STALE']);
    }
  });

  it.each([
    ['answered', (call: PromiseWithResolvers<Inference>): void => call.resolve(fakeInference())],
    ['lost', (call: PromiseWithResolvers<Inference>): void => call.reject(new RouterError('ENGINE_LOST', 'gone'))],
  ])('is watched until each request is %s', async (_, end) => {
    const engines = ['a', 'b'].map(engine);
    const router = build(engines, undefined, { maxAttempts: 1 });
    for (let n = 0; n < 2; n += 1) await together(router, same(1));
    await pass(10);
    const timers = jest.getTimerCount();
    const open = engines.map(holding);
    const grouped = together(router, same(4));
    expect(jest.getTimerCount()).toBe(timers + 1);
    for (const call of open.flat()) end(call);
    await grouped;
    await pass(10);
    expect(jest.getTimerCount()).toBe(timers);
  });

  it('at the only engine is not watched', async () => {
    const only = engine('a');
    const router = build([only]);
    await together(router, same(1));
    const timers = jest.getTimerCount();
    const open = holding(only);
    const grouped = together(router, same(2));
    expect(jest.getTimerCount()).toBe(timers);
    for (const call of open) call.resolve(fakeInference());
    await grouped;
  });

  /** Two engines that have answered before, and how many requests the second got since. */
  async function startLate(): Promise<{
    readonly router: Router;
    readonly late: FakeEngine;
    readonly open: PromiseWithResolvers<Inference>[];
    readonly sentToGood: () => number;
  }> {
    const [late, good] = ['late', 'good'].map(engine) as [FakeEngine, FakeEngine];
    const router = build([late, good]);
    for (let n = 0; n < 8; n += 1) await together(router, same(1));
    const before = good.calls.length;
    return { router, late, open: holding(late), sentToGood: () => good.calls.length - before };
  }

  it('asks another engine after 10 ms', async () => {
    const { router, open, sentToGood } = await startLate();
    const grouped = together(router, same(4));
    await pass(9);
    expect([open.length, sentToGood()]).toEqual([2, 2]);
    await pass(6);
    expect(sentToGood()).toBe(4);
    expect((await grouped).said.map(enginesOf)).toEqual(Array(4).fill('good OK'));
  });

  it('asks another engine only for the requests without an answer', async () => {
    const { router, late, open, sentToGood } = await startLate();
    const grouped = together(router, same(4));
    late.inFlight = 1;
    open[0]!.resolve(fakeInference());
    await pass(500);
    expect(sentToGood()).toBe(3);
    const { said } = await grouped;
    expect(said.map(cacheOf)).toEqual(Array(4).fill('BYPASSED'));
    open[1]!.resolve(fakeInference());
    await pass(10);
    expect([said.length, router.inFlight]).toEqual([4, 0]);
  });
});
