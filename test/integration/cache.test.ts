import * as grpc from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ReasonRequest, type ReasonResponse } from '../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode, CacheStatus, Grade, Strategy } from '../../services/generated/tandem/v1/types.ts';
import { flipDigestBit } from '../fakes/lying-engine.ts';
import { refusalOf } from '../support/refusal.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';
import { Fleet, Inputs } from './router-table/fleet.ts';
import { Operator } from '../support/operator.ts';

const { CACHE_STATUS_HIT: HIT, CACHE_STATUS_MISS: MISS, CACHE_STATUS_COALESCED: COALESCED } = CacheStatus;
const { CACHE_STATUS_STALE: STALE, CACHE_STATUS_BYPASSED: BYPASSED } = CacheStatus;
const { CACHE_MODE_USE: USE, CACHE_MODE_BYPASS: BYPASS, CACHE_MODE_REFRESH: REFRESH } = CacheMode;

const inputs = new Inputs();
let fleet: Fleet<'only'>;
let system: System;
let operator: Operator;

beforeAll(async () => {
  fleet = await Fleet.start(['only']);
});

afterAll(async () => {
  await fleet.stop();
});

async function start(cache: Record<string, unknown> = {}): Promise<void> {
  system = await startSystem({ local: { enabled: false }, sidecars: fleet.settings, spawn: { count: 0 }, cache });
  operator = new Operator(system.adminAddress);
}

afterEach(async () => {
  fleet.behave();
  operator.close();
  await system.stop();
});

/** The number of items that the engine got: each is one computation. */
const computed = (): number => fleet.front('only').counts.seen;

async function statusOf(answering: Promise<ReasonResponse>): Promise<CacheStatus> {
  return (await answering).cache;
}

function countBy<T>(values: readonly T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** A call that can be cancelled. */
function call(request: Partial<ReasonRequest>): { answer: Promise<ReasonResponse>; cancel: () => void } {
  const { promise: answer, resolve, reject } = Promise.withResolvers<ReasonResponse>();
  const pending = system.client.reason(ReasonRequest.fromPartial(request), new grpc.Metadata(), (error, response) =>
    error ? reject(error) : resolve(response),
  );
  return { answer, cancel: () => pending.cancel() };
}

async function underWay(count: number): Promise<void> {
  await until(async () => (await operator.metrics()).inFlight === count, { what: `${count} requests under way` });
}

describe('equal requests at once', () => {
  beforeEach(() => start());

  it('are computed once: of 1,000 one computes, 999 share or find it', async () => {
    const request = inputs.request();
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => system.reason(request)));
    expect(computed()).toBe(1);
    const counts = countBy(answers.map(({ cache }) => cache));
    expect(counts.get(MISS)).toBe(1);
    expect((counts.get(COALESCED) ?? 0) + (counts.get(HIT) ?? 0)).toBe(999);
    expect(new Set(answers.map(({ stateDigest }) => stateDigest)).size).toBe(1);
    expect(answers.filter(({ attempts }) => attempts.length > 0)).toHaveLength(1);
  });

  it('are still answered when the first one is cancelled, without a second computation', async () => {
    const request = inputs.request();
    await fleet.sidecar('only').pause();
    const leader = call(request);
    await until(() => computed() === 1, { what: 'the computation' });
    const followers = Array.from({ length: 20 }, () => system.reason(request));
    await underWay(21);
    leader.cancel();
    await underWay(20);
    fleet.sidecar('only').resume();
    expect((await refusalOf(leader.answer)).code).toBe('CANCELLED');
    expect(countBy((await Promise.all(followers)).map(({ cache }) => cache))).toEqual(new Map([[COALESCED, 20]]));
    expect([computed(), fleet.front('only').counts.cancelled]).toEqual([1, 0]);
  });

  it('are cancelled in the engine when the last waiting one is cancelled', async () => {
    const request = inputs.request();
    await fleet.sidecar('only').pause();
    const callers = [call(request), call(request), call(request)];
    await underWay(3);
    await until(() => computed() === 1, { what: 'the computation' });
    for (const { cancel } of callers) cancel();
    const codes = await Promise.all(callers.map(async ({ answer }) => (await refusalOf(answer)).code));
    expect(codes).toEqual(['CANCELLED', 'CANCELLED', 'CANCELLED']);
    await until(() => fleet.front('only').counts.cancelled === 1, { what: 'the cancellation in the engine' });
  });

  it('share no computation with BYPASS', async () => {
    const request = inputs.request({ cache: BYPASS });
    const answers = await Promise.all([1, 2, 3].map(() => statusOf(system.reason(request))));
    expect([answers, computed()]).toEqual([[BYPASSED, BYPASSED, BYPASSED], 3]);
  });
});

describe('cache mode', () => {
  beforeEach(() => start());

  it('USE computes once, and then answers without an engine', async () => {
    const request = inputs.request({ cache: USE });
    const first = await system.reason(request);
    const second = await system.reason(request);
    expect([first.cache, second.cache, computed()]).toEqual([MISS, HIT, 1]);
    expect(second).toMatchObject({ stateDigest: first.stateDigest, label: first.label, engine: first.engine });
    expect([second.attempts, second.timing?.engineUs]).toEqual([[], 0]);
  });

  it('USE is the default', async () => {
    const request = inputs.request();
    expect([await statusOf(system.reason(request)), await statusOf(system.reason(request))]).toEqual([MISS, HIT]);
  });

  it('BYPASS neither reads nor writes', async () => {
    const { tensor } = inputs.request();
    const statuses: CacheStatus[] = [];
    for (const cache of [BYPASS, USE, BYPASS]) statuses.push(await statusOf(system.reason({ tensor, cache })));
    expect([statuses, computed()]).toEqual([[BYPASSED, MISS, BYPASSED], 3]);
  });

  it('REFRESH computes, and replaces the stored answer', async () => {
    const { tensor } = inputs.request();
    const front = fleet.front('only');
    front.lie = flipDigestBit;
    const wrong = await system.reason({ tensor });
    front.lie = undefined;
    const right = await system.reason({ tensor, cache: REFRESH });
    const kept = await system.reason({ tensor });
    expect(right.stateDigest).not.toBe(wrong.stateDigest);
    expect([right.cache, kept.cache, kept.stateDigest]).toEqual([MISS, HIT, right.stateDigest]);
  });
});

describe('what is kept', () => {
  it('answers any strategy that asks one engine', async () => {
    await start();
    const { tensor } = inputs.request();
    await system.reason({ tensor, strategy: Strategy.STRATEGY_ROUND_ROBIN });
    const second = await system.reason({ tensor, strategy: Strategy.STRATEGY_FASTEST });
    expect([second.cache, second.strategy]).toEqual([HIT, Strategy.STRATEGY_ROUND_ROBIN]);
  });

  it('of one engine does not answer a vote', async () => {
    await start();
    const { tensor } = inputs.request();
    await system.reason({ tensor });
    const vote = system.reason({ tensor, strategy: Strategy.STRATEGY_REDUNDANT });
    expect(await refusalOf(vote)).toMatchObject({ code: 'UNAVAILABLE', reason: 'VOTE_TOO_FEW' });
  });

  it('answers only exactly equal bytes', async () => {
    await start();
    const { tensor } = inputs.request();
    await system.reason({ tensor });
    const data = Buffer.from(tensor!.data);
    data.writeUInt8(data[0]! ^ 1, 0);
    expect(await statusOf(system.reason({ tensor: { ...tensor!, data } }))).toBe(MISS);
  });

  it('is no errors', async () => {
    await start();
    const { tensor } = inputs.request();
    fleet.front('only').failWith = 'ENGINE_FAULT';
    expect((await refusalOf(system.reason({ tensor }))).reason).toBe('NO_ENGINE');
    fleet.front('only').failWith = undefined;
    expect(await statusOf(system.reason({ tensor }))).toBe(MISS);
  });

  it('is computed again after it has expired', async () => {
    await start({ ttl_ms: 0 });
    const request = inputs.request();
    expect([await statusOf(system.reason(request)), await statusOf(system.reason(request))]).toEqual([MISS, MISS]);
    expect(computed()).toBe(2);
  });

  it('does not exist if the cache is off', async () => {
    await start({ enabled: false });
    const request = inputs.request();
    const statuses = [await statusOf(system.reason(request)), await statusOf(system.reason(request))];
    expect([statuses, computed()]).toEqual([[BYPASSED, BYPASSED], 2]);
  });

  it('is evicted for a newer one if the cache is full, and the metrics count it', async () => {
    await start({ max_entries: 2 });
    const [old, ...newer] = [inputs.request(), inputs.request(), inputs.request()];
    for (const request of [old, ...newer]) await system.reason(request);
    expect((await operator.metrics()).cache).toMatchObject({ entries: 2n, evictions: 1n, misses: 3n });
    for (const request of newer) expect(await statusOf(system.reason(request))).toBe(HIT);
    expect(await statusOf(system.reason(old))).toBe(MISS);
  });
});

describe('when all engines are lost', () => {
  const lose = async (): Promise<void> => {
    await fleet.sidecar('only').kill();
    await until(() => system.pool.find('only').state === 'DOWN', { what: 'the loss' });
  };

  afterEach(async () => {
    await fleet.restart('only');
  });

  it('an expired answer is given, marked STALE', async () => {
    await start({ ttl_ms: 0 });
    const request = inputs.request();
    const fresh = await system.reason(request);
    await lose();
    const stale = await system.reason(request);
    expect(stale).toMatchObject({ cache: STALE, grade: Grade.GRADE_STALE, stateDigest: fresh.stateDigest });
    expect([stale.engine, stale.attempts]).toEqual([fresh.engine, []]);
  });

  it('an answer that is still fresh is an ordinary HIT', async () => {
    await start();
    const request = inputs.request();
    await system.reason(request);
    await lose();
    expect(await system.reason(request)).toMatchObject({ cache: HIT, grade: Grade.GRADE_SINGLE });
  });

  it.each([
    ['a new input', () => ({ first: inputs.request(), then: inputs.request() }), {}],
    ['an input that REFRESHes', () => withMode(REFRESH), {}],
    ['an input that BYPASSes', () => withMode(BYPASS), {}],
    ['an answer that may not be stale', () => withMode(USE), { stale_ms: 0 }],
  ])('%s is refused', async (_name, requests, settings) => {
    await start({ ttl_ms: 0, ...settings });
    const { first, then } = requests();
    await system.reason(first);
    await lose();
    expect(await refusalOf(system.reason(then))).toMatchObject({ code: 'UNAVAILABLE', reason: 'NO_ENGINE' });
  });
});

function withMode(cache: CacheMode): { first: Partial<ReasonRequest>; then: Partial<ReasonRequest> } {
  const { tensor } = inputs.request();
  return { first: { tensor }, then: { tensor, cache } };
}

describe('the metrics', () => {
  it('count each result of the cache', async () => {
    await start();
    const { tensor } = inputs.request();
    for (const cache of [USE, USE, BYPASS, REFRESH]) await system.reason({ tensor, cache });
    const { cache } = await operator.metrics();
    expect(cache).toMatchObject({ hits: 1n, misses: 2n, bypassed: 1n, coalesced: 0n, stale: 0n, entries: 1n });
    expect(cache?.hitRatio).toBeCloseTo(1 / 3);
    expect(cache?.bytes).toBeGreaterThan(768n * 4n);
  });
});
