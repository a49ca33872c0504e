import { beforeEach, describe, expect, it } from '@jest/globals';
import { fakeInference } from '../../test/fakes/fake-engine.ts';
import { fakeTracing, silent } from '../../test/fakes/fake-parts.ts';
import { loneRouter } from '../../test/fakes/lone-router.ts';
import { build, engine } from '../../test/fakes/router-parts.ts';
import { RouterError } from '../core/errors.ts';
import { ReasonRequest } from '../generated/tandem/v1/reasoning.ts';
import type { GroupedItem } from '../routing/group.ts';
import type { Router } from '../routing/router.ts';
import { type ItemAnswer, reasonItem } from './reason-item.ts';

const tracing = fakeTracing();
const options = {
  caller: () => '',
  type: 'test',
  tracing,
  begin: (startedMs: number) => tracing.begin('test', startedMs, '', ''),
  observer: silent,
  timeoutMs: 1_000,
  onInternalError: () => undefined,
};
const bytes = ReasonRequest.encode(ReasonRequest.fromPartial({ requestId: 'mine', encoding: [1] })).finish();

let calls: number;
let caller: AbortController;

beforeEach(() => {
  calls = 0;
  caller = new AbortController();
});

/** Asks a router that fails with these errors in turn and repeats the last one. */
function ask(errors: readonly RouterError[], deadlineMs = Infinity): Promise<ItemAnswer> {
  const reason = (): Promise<never> => {
    calls += 1;
    // A retry without a pause would never end this test.
    return Promise.reject(calls > 100 ? overflow : errors[Math.min(calls, errors.length) - 1]!);
  };
  return reasonItem(bytes, loneRouter(reason), { deadlineMs, signal: caller.signal }, options);
}

const overflow = new RouterError('NON_FINITE', 'overflow');
const full = (retryAfterMs: number): RouterError => new RouterError('ROUTER_FULL', 'full', { retryAfterMs });
const reasonOf = ({ outcome }: ItemAnswer): string => (outcome.$case === 'error' ? outcome.value.reason : 'OK');

describe('an item of a batch or a stream', () => {
  it('returns its own error under its own id', async () => {
    const answer = await ask([overflow]);
    expect([answer.requestId, reasonOf(answer), calls]).toEqual(['mine', 'NON_FINITE', 1]);
  });

  it('retries if the router is full', async () => {
    expect([reasonOf(await ask([full(1), full(1), overflow])), calls]).toEqual(['NON_FINITE', 3]);
  });

  it('lets other tasks run between two retries', async () => {
    let othersRan = 0;
    const others = setInterval(() => (othersRan += 1), 1);
    const ran: number[] = [];
    const reason = (): Promise<never> => {
      ran.push(othersRan);
      return Promise.reject(ran.length < 3 ? full(10) : overflow);
    };
    await reasonItem(bytes, loneRouter(reason), { deadlineMs: Infinity, signal: caller.signal }, options);
    clearInterval(others);
    expect(ran[0]).toBe(0);
    expect(ran[1]).toBeGreaterThan(ran[0]!);
    expect(ran[2]).toBeGreaterThan(ran[1]!);
  });

  it('ends at once when its caller leaves between two retries', async () => {
    setTimeout(() => caller.abort(new RouterError('CANCELLED', 'the caller left')), 5);
    expect([reasonOf(await ask([full(60_000)])), calls]).toEqual(['CANCELLED', 1]);
  });

  it('is counted with its duration when it fails', async () => {
    const ended: [type: string, outcome: string, durationMs: number][] = [];
    const requestEnded = (...each: [string, string, number]): void => void ended.push(each);
    const reason = (): Promise<never> => new Promise((_, reject) => setTimeout(() => reject(overflow), 20));
    const beganMs = performance.now();
    await reasonItem(
      bytes,
      loneRouter(reason),
      { deadlineMs: Infinity, signal: caller.signal },
      { ...options, observer: { ...silent, requestEnded } },
    );
    const [[type, outcome, durationMs]] = ended as [[string, string, number]];
    expect([type, outcome, ended.length]).toEqual(['test', 'NON_FINITE', 1]);
    expect(durationMs).toBeGreaterThan(18);
    expect(durationMs).toBeLessThanOrEqual(performance.now() - beganMs);
  });

  it('fails with ROUTER_FULL if its deadline comes before the retry', async () => {
    expect([reasonOf(await ask([full(100)], performance.now() + 99)), calls]).toEqual(['ROUTER_FULL', 1]);
  });

  it('is not tried if its caller has left', async () => {
    caller.abort(new RouterError('CANCELLED', 'the caller left'));
    expect([reasonOf(await ask([full(100)])), calls]).toEqual(['CANCELLED', 0]);
  });

  it('records the engine and the digest of its answer in its trace', async () => {
    const traced = fakeTracing();
    traced.configure({ enabled: true });
    const trace = traced.begin('test', performance.now(), '', '');
    const request = ReasonRequest.encode(ReasonRequest.fromPartial({ encoding: [1, 2, 3] })).finish();
    const limits = { deadlineMs: Infinity, signal: caller.signal };
    await reasonItem(request, build([engine('a')]), limits, { ...options, tracing: traced, begin: () => trace });
    const { stateDigest } = fakeInference();
    expect(['engine', 'digest'].map((name) => trace.root.get(`tandem.${name}`))).toEqual(['a', stateDigest]);
  });

  it('returns no id if it cannot be read', async () => {
    const answer = await reasonItem(
      new Uint8Array([255]),
      {} as unknown as Router,
      { deadlineMs: Infinity, signal: caller.signal },
      options,
    );
    expect([answer.requestId, reasonOf(answer)]).toEqual(['', 'INVALID_FIELD']);
  });
});

describe('grouped items', () => {
  it('retry alone if the router is full', async () => {
    const full = new RouterError('ROUTER_FULL', 'full', { retryAfterMs: 1 });
    const reasons: string[] = [];
    const reason = (): Promise<never> => {
      reasons.push('alone');
      return Promise.reject(overflow);
    };
    const reasonTogether = (items: readonly GroupedItem[]): GroupedItem[] => {
      for (const item of items) item.ended(full);
      return [];
    };
    const limits = { deadlineMs: Infinity, signal: caller.signal };
    const answer = await reasonItem(bytes, { reason, reasonTogether, reasonInSession: reason }, limits, options);
    expect([reasonOf(answer), reasons]).toEqual(['NON_FINITE', ['alone']]);
  });

  it('fail with INTERNAL if the router throws, and report it', async () => {
    const broken = { reason: () => undefined } as unknown as Router;
    const limits = { deadlineMs: Infinity, signal: caller.signal };
    const bugs: string[] = [];
    const onInternalError = (type: string): void => void bugs.push(type);
    expect(reasonOf(await reasonItem(bytes, broken, limits, { ...options, onInternalError }))).toBe('INTERNAL');
    expect(bugs).toEqual(['test']);
  });
});
