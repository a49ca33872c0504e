import { describe, expect, it, jest } from '@jest/globals';
import { type FakeEngine, fakeInference } from '../../test/fakes/fake-engine.ts';
import { silent } from '../../test/fakes/fake-parts.ts';
import { cacheOf, enginesOf, other, same, together } from '../../test/fakes/grouped.ts';
import { build, buildWhole, context, engine, lost, question } from '../../test/fakes/router-parts.ts';
import type { TensorInput } from './check-input.ts';
import { RouterError } from '../core/errors.ts';
import type { Inference } from '../core/inference.ts';
import { Admission } from './admission.ts';
import { Audit } from './audit.ts';
import type { RouterOptions } from './options.ts';
import type { ReasonAnswer, Router } from './router.ts';

describe('Router.reasonTogether', () => {
  it('distributes requests over the engines and answers each', async () => {
    const engines = ['a', 'b'].map(engine);
    const { said, alone } = await together(build(engines), same(8));
    expect([said.map(cacheOf), alone]).toEqual([Array(8).fill('BYPASSED'), 0]);
    expect(engines.map(({ calls }) => calls.length).reduce((a, b) => a + b)).toBe(8);
    expect(engines.every(({ calls }) => calls.length > 0)).toBe(true);
  });

  it('fails only the request that is invalid', async () => {
    const bad = question({ input: { ...(question().input as TensorInput), shape: [4] } });
    const router = build([engine('a')]);
    const { said, alone } = await together(router, [question(), bad, question()]);
    expect(said.map(cacheOf).sort()).toEqual(['BYPASSED', 'BYPASSED', 'INPUT_LENGTH']);
    expect([alone, router.inFlight]).toEqual([0, 0]);
  });

  it('retries each request alone if its engine fails', async () => {
    const [bad, good] = [engine('bad'), engine('good')];
    bad.behaviour = lost;
    const { said } = await together(build([bad, good]), same(4));
    const retried = said.map(enginesOf).filter((text) => text === 'bad ENGINE_LOST,good OK');
    expect(retried.length).toBe(bad.calls.length);
    expect(said.every((each) => !(each instanceof RouterError))).toBe(true);
  });

  it('leaves no request in flight after failures', async () => {
    const bad = engine('bad');
    bad.behaviour = lost;
    const router = build([bad]);
    await together(router, same(3));
    expect(router.inFlight).toBe(0);
  });

  it('reads answers from the cache and stores them there', async () => {
    const router = build([engine('a')]);
    const first = await together(router, [other(1), other(4)]);
    const second = await together(router, [other(1), other(4)]);
    expect([first, second].map(({ said }) => said.map(cacheOf))).toEqual([
      ['MISS', 'MISS'],
      ['HIT', 'HIT'],
    ]);
    expect([second.alone, router.inFlight]).toEqual([0, 0]);
  });

  it('computes equal requests once', async () => {
    const only = engine('a');
    const { promise, resolve } = Promise.withResolvers<undefined>();
    only.behaviour = () => promise.then(() => fakeInference());
    const router = build([only]);
    const grouped = together(router, [other(1), other(1)]);
    const joined = router.reason(other(1), context());
    resolve(undefined);
    expect([(await grouped).alone, (await joined).cache, only.calls.length]).toEqual([1, 'COALESCED', 1]);
  });

  it('gives each answer and the time it took to the audit', async () => {
    const audit = new Audit({ rate: 0, observer: silent, onDispute: () => undefined });
    const tookMs: number[] = [];
    jest.spyOn(audit, 'maybeAudit').mockImplementation((claims) => {
      tookMs.push(...claims.map(({ durationMs }) => durationMs));
    });
    const { router } = buildWhole([engine('a')], undefined, { audit });
    const beganMs = performance.now();
    await together(router, same(2));
    const most = performance.now() - beganMs;
    expect(tookMs).toHaveLength(2);
    expect(tookMs.every((each) => each >= 0 && each <= most)).toBe(true);
  });

  it('returns stale answers if every engine is lost', async () => {
    const only = engine('a');
    const { router } = buildWhole([only], undefined, {}, 0);
    await together(router, [other(1)]);
    only.behaviour = lost;
    expect((await together(router, [other(1)])).said.map(cacheOf)).toEqual(['STALE']);
  });

  it('returns requests to send alone if they ask several engines or want detail', async () => {
    const router = build(['a', 'b', 'c'].map(engine));
    const questions = [
      question({ strategy: 'REDUNDANT' }),
      question({ strategy: 'HEDGED' }),
      question({ strategy: 'AFFINITY' }),
      question({ detail: 'LAYERS' }),
    ];
    expect(await together(router, questions)).toEqual({ said: [], alone: 4 });
    expect(router.inFlight).toBe(0);
  });

  it('returns requests beyond the free slots, to send alone', async () => {
    const only = engine('a');
    const admission = new Admission({ maxQueue: 100, maxWaitMs: 1_000 });
    const { router, pool } = buildWhole([only], undefined, { admission });
    pool.find('a').limit.cap(4);
    const { said, alone } = await together(router, same(10));
    expect([said.length, alone, admission.waiting]).toEqual([4, 6, 0]);
  });

  it('frees each slot once, whether the request succeeds or fails', async () => {
    const [only, admission] = [engine('a'), new Admission({ maxQueue: 100, maxWaitMs: 1_000 })];
    const left = jest.spyOn(admission, 'leave');
    const { router, pool } = buildWhole([only], undefined, { admission, maxAttempts: 1 });
    pool.find('a').limit.cap(4);
    const { alone } = await together(router, same(6));
    only.behaviour = lost;
    await together(router, same(2));
    expect(alone).toBe(2);
    expect(left.mock.calls.map(([, isAnswered]) => isAnswered)).toEqual([true, true, true, true, false, false]);
  });

  it('returns all requests, to send alone, if they exceed maxInFlight', async () => {
    const router = build([engine('a')], undefined, { maxInFlight: 2 });
    expect([(await together(router, same(3))).alone, (await together(router, same(2))).alone]).toEqual([3, 0]);
  });

  it('counts each answer for its model', async () => {
    const counted: string[] = [];
    const observer = { ...silent, answered: (name: string, number: number) => void counted.push(`${name}/${number}`) };
    await together(build([engine('a')], undefined, { observer }), same(2));
    expect(counted).toEqual(['m/1', 'm/1']);
  });

  it('cancels all requests if the caller leaves', async () => {
    const only = engine('a');
    only.behaviour = (_input, { signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(RouterError.from(signal.reason))));
    const limits = context();
    const grouped = together(build([only]), same(3), limits);
    limits.controller.abort(new RouterError('CANCELLED', 'the caller left'));
    expect((await grouped).said.map(cacheOf)).toEqual(Array(3).fill('CANCELLED'));
  });
});

describe('a group of requests at a late engine', () => {
  /** Two engines that have answered before, and then `late` answers when the test says so. */
  async function startLate(over: Partial<RouterOptions> = {}): Promise<{
    readonly router: Router;
    readonly late: FakeEngine;
    readonly good: FakeEngine;
    readonly answerLate: () => void;
    readonly failLate: () => void;
  }> {
    const [late, good] = [engine('late'), engine('good')];
    const router = build([late, good], undefined, over);
    await together(router, same(8));
    const { promise, resolve, reject } = Promise.withResolvers<Inference>();
    promise.catch(() => undefined);
    late.behaviour = () => promise;
    return {
      ...{ router, late, good },
      answerLate: () => resolve(fakeInference()),
      failLate: () => reject(new RouterError('ENGINE_LOST', 'gone')),
    };
  }

  it('is answered by another engine, each request once', async () => {
    const { router, late, answerLate } = await startLate();
    const before = late.calls.length;
    const { said } = await together(router, same(4));
    expect(late.calls.length - before).toBe(2);
    expect(said.map(enginesOf)).toEqual(Array(4).fill('good OK'));
    answerLate();
    await new Promise(setImmediate);
    expect([said.length, router.inFlight]).toEqual([4, 0]);
  });

  it('frees each slot once', async () => {
    const admission = new Admission({ maxQueue: 100, maxWaitMs: 1_000 });
    const { router, failLate } = await startLate({ admission });
    const left = jest.spyOn(admission, 'leave');
    await together(router, same(4));
    failLate();
    await new Promise(setImmediate);
    expect([left.mock.calls.length, router.inFlight]).toEqual([4, 0]);
  });

  it('is answered by that engine if the other one fails', async () => {
    const { router, good, answerLate } = await startLate();
    setTimeout(answerLate, 100);
    good.behaviour = lost;
    const { said } = await together(router, same(2));
    expect(said.filter((each) => each instanceof RouterError)).toEqual([]);
  });

  it('gets no firm answer from that engine if the other one refused the input', async () => {
    const { router, good, answerLate } = await startLate();
    good.behaviour = () => {
      setImmediate(answerLate);
      return Promise.reject(new RouterError('NON_FINITE', 'on purpose'));
    };
    const { said } = await together(router, same(1));
    expect(said.map(enginesOf)).toEqual(['good NON_FINITE,late OK']);
    expect((said[0] as ReasonAnswer).answer.isFirm).toBe(false);
  });
});
