// The spans of the stages in the trace of a request.
import { describe, expect, it } from '@jest/globals';
import { fakeTracing } from '../../../test/fakes/fake-parts.ts';
import { build, buildWhole, context, engine, question } from '../../../test/fakes/router-parts.ts';
import { fakeInference } from '../../../test/fakes/fake-engine.ts';
import type { OpenSpan } from '../../core/request-trace.ts';
import type { ReasonQuestion } from '../question.ts';
import type { Router } from '../router.ts';

/** Returns the root and the other spans of one request. */
async function trace(router: Router, over: Partial<ReasonQuestion> = {}): Promise<[OpenSpan, readonly OpenSpan[]]> {
  const { root } = fakeTracing().begin('test', 0, '', '');
  await router.reason(question(over), { ...context(), span: root });
  return [root, root.trace.spans];
}

const namesOf = (spans: readonly OpenSpan[]): string[] => spans.map(({ name }) => name);
const cacheOf = (spans: readonly OpenSpan[]): unknown =>
  spans.find(({ name }) => name === 'cache')?.get('tandem.cache');

describe('the trace of a request', () => {
  it('has a span for the cache and the attempt, and each one ends', async () => {
    const [, spans] = await trace(build([engine('a')]), { cache: 'USE' });
    expect(namesOf(spans)).toEqual(['cache', 'attempt a']);
    for (const { startMs, endMs } of spans) expect(endMs).toBeGreaterThanOrEqual(startMs);
  });

  it('names the model and the strategy', async () => {
    const [root] = await trace(build([engine('a')]), { strategy: 'LOCAL_FIRST' });
    expect([root.get('tandem.model'), root.get('tandem.strategy')]).toEqual(['m/1', 'LOCAL_FIRST']);
  });

  it.each<[Partial<ReasonQuestion>, string]>([
    [{ cache: 'USE' }, 'MISS'],
    [{ cache: 'REFRESH' }, 'MISS'],
  ])('names the use of the cache: %j', async (over, use) => {
    const [, spans] = await trace(build([engine('a')]), over);
    expect(cacheOf(spans)).toBe(use);
  });

  it('has no span for a cache that is not used', async () => {
    const [, spans] = await trace(build([engine('a')]), { cache: 'BYPASS' });
    expect(namesOf(spans)).toEqual(['attempt a']);
  });

  it('has no attempt if the answer was cached', async () => {
    const router = build([engine('a')]);
    await trace(router, { cache: 'USE' });
    const [, spans] = await trace(router, { cache: 'USE' });
    expect([namesOf(spans), cacheOf(spans), Number.isNaN(spans[0]!.endMs)]).toEqual([['cache'], 'HIT', false]);
  });

  it('has the wait for an engine', async () => {
    const only = engine('a');
    const { router, pool } = buildWhole([only]);
    pool.find('a').limit.cap(1);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    only.behaviour = () => {
      only.inFlight = 1;
      return promise.then(() => {
        only.inFlight = 0;
        return fakeInference();
      });
    };
    const first = router.reason(question(), context());
    await Promise.resolve();
    const waiting = trace(router);
    const releasedMs = performance.now();
    resolve(undefined);
    await first;
    const [, spans] = await waiting;
    const queue = spans.find(({ name }) => name === 'queue')!;
    expect(queue.endMs).toBeGreaterThanOrEqual(releasedMs);
  });
});
