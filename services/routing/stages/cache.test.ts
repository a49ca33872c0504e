import { beforeEach, describe, expect, it } from '@jest/globals';
import { AnswerCache } from '../../cache/answer-cache.ts';
import { context, question } from '../../../test/fakes/router-parts.ts';
import { RouterError } from '../../core/errors.ts';
import type { Detail } from '../../core/inference.ts';
import type { Answer } from '../answer.ts';
import type { CacheModeName } from '../question.ts';
import type { RoutedRequest } from '../routed-request.ts';
import { cache } from './cache.ts';

const options = { maxEntries: 10, maxBytes: 1e6, ttlMs: 1e6, staleMs: 0, sizeOf: () => 1 };

let answers: AnswerCache<Answer>;
/** The requests that the rest of the path got, and how each of them ends. */
let passed: { readonly request: RoutedRequest; readonly end: (answer: Answer) => void }[];

const answer = (label: string): Answer => ({ label }) as Answer;

/** An equal question each time. */
function request(use: CacheModeName, detail: Detail = 'SUMMARY'): RoutedRequest & { leave: () => void } {
  const { controller, ...limits } = context();
  return {
    ...{ question: question({ cache: use }), input: { detail }, context: limits, cacheStatus: 'BYPASSED' },
    cacheKey: { scope: 's', hash: 1n, data: Buffer.of(1) },
    leave: () => controller.abort(new RouterError('CANCELLED', 'left')),
  } as unknown as RoutedRequest & { leave: () => void };
}

const send = (to: RoutedRequest, kept: AnswerCache<Answer> | undefined = answers): Answer | Promise<Answer> =>
  cache(kept)(to, (passedOn) => new Promise((end) => passed.push({ request: passedOn, end })));

beforeEach(() => {
  answers = new AnswerCache<Answer>(options);
  passed = [];
});

/** Computes and keeps "kept". */
async function keep(): Promise<void> {
  const computing = send(request('USE'));
  passed.shift()!.end(answer('kept'));
  await computing;
}

describe('the cache stage', () => {
  it('returns a kept answer at once', async () => {
    await keep();
    const sent = request('USE');
    expect(send(sent)).toEqual(answer('kept'));
    expect([sent.cacheStatus, passed.length]).toEqual(['HIT', 0]);
  });

  it('computes for REFRESH, and keeps the new answer', async () => {
    await keep();
    const sent = request('REFRESH');
    const refreshing = send(sent);
    passed[0]!.end(answer('new'));
    expect([await refreshing, sent.cacheStatus]).toEqual([answer('new'), 'MISS']);
    expect(send(request('USE'))).toEqual(answer('new'));
  });

  it.each<[string, CacheModeName, Detail, boolean]>([
    ['BYPASS', 'BYPASS', 'SUMMARY', true],
    ['a raster', 'USE', 'RASTER', true],
    ['a router without a cache', 'USE', 'SUMMARY', false],
  ])('is left out for %s', async (_, use, detail, hasCache) => {
    await keep();
    const sent = request(use, detail);
    const computing = hasCache ? send(sent) : cache(undefined)(sent, () => answer('computed'));
    passed[0]?.end(answer('computed'));
    expect([await computing, sent.cacheStatus]).toEqual([answer('computed'), 'BYPASSED']);
    expect(send(request('USE'))).toEqual(answer('kept'));
  });

  it('computes once for equal questions, until all callers have left', async () => {
    const [leader, follower] = [request('USE'), request('USE')];
    const both = [send(leader), send(follower)].map((each) => Promise.resolve(each).catch((error: unknown) => error));
    expect(passed).toHaveLength(1);
    const { signal } = passed[0]!.request.context;
    leader.leave();
    expect(signal.aborted).toBe(false);
    passed[0]!.end(answer('shared'));
    expect(await both[1]).toEqual(answer('shared'));
    expect(follower.cacheStatus).toBe('COALESCED');
    await expect(both[0]).resolves.toMatchObject({ kind: 'CANCELLED' });
  });
});
