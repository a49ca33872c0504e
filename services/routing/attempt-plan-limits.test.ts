// AttemptPlan without an executor: how many engines it asks, and for how long.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fakeInference } from '../../test/fakes/fake-engine.ts';
import { fakeExecution } from '../../test/fakes/fake-parts.ts';
import { HandDriven } from '../../test/fakes/hand-driven.ts';
import { type ErrorKind, RouterError } from '../core/errors.ts';
import type { AttemptOptions } from './attempt.ts';
import { AttemptPlan, type NextAttempt } from './attempt-plan.ts';
import type { Execution } from './executor.ts';
import { RetryBudget } from './retry-budget.ts';

let engines: HandDriven[];
let execution: Execution<HandDriven>;
let plan: AttemptPlan<HandDriven>;
/** How many requests each attempt sends at once. */
let sent: (number | undefined)[];

/** For six engines, and a caller that waits for another 1,200 ms. */
function start(over: Partial<AttemptOptions> = {}, count = 6): void {
  sent = [];
  const attemptMs = (_input: unknown, shareMs: number, requests?: number): number => {
    sent.push(requests);
    return shareMs;
  };
  engines = ['a', 'b', 'c', 'd', 'e', 'f']
    .slice(0, count)
    .map((id) => Object.assign(new HandDriven(id), { attemptMs }));
  const { signal } = new AbortController();
  const options = { attemptTimeoutMs: 10_000, ...over };
  execution = fakeExecution(engines, signal, options, { context: { signal, deadlineMs: performance.now() + 1_200 } });
  plan = new AttemptPlan(execution);
}

const error = (kind: ErrorKind, over: object = {}): RouterError => new RouterError(kind, `${kind} on purpose`, over);

/** Asks one engine after the other, and each one ends with the next of these. Returns those that were asked. */
function tryInTurn(...ends: RouterError[]): string {
  let ids = '';
  for (const end of ends) {
    const next = plan.next();
    if (next === undefined) break;
    ids += next.engine.id;
    plan.failed(next, end);
  }
  return ids;
}

const lost = error('ENGINE_LOST');
const refused = error('NON_FINITE', { metadata: { step: '3' } });

beforeEach(() => {
  jest.useFakeTimers();
  start();
});

afterEach(() => {
  jest.useRealTimers();
});

describe('the number of attempts', () => {
  it('is maxAttempts', () => {
    start({ maxAttempts: 2 });
    expect(tryInTurn(lost, lost, lost)).toBe('ab');
  });

  it('counts one that was begun in a group, which is not charged', () => {
    const budget = new RetryBudget(10, 20);
    start({ maxAttempts: 2, budget });
    const withdrawals = jest.spyOn(budget, 'withdraw');
    plan.begun({ engine: engines[0]! } as NextAttempt<HandDriven>);
    expect([tryInTurn(lost, lost), withdrawals.mock.calls.length]).toEqual(['b', 1]);
  });

  it('does not count an engine that drains', () => {
    start({ maxAttempts: 2 });
    expect(tryInTurn(error('DRAINING'), lost, lost, lost)).toBe('abc');
  });

  it('of confirmations is two, of which one that drains counts as none', () => {
    expect(tryInTurn(refused, error('DRAINING'), lost, lost, lost)).toBe('abcd');
  });

  it('leaves others to ask while engines are left', () => {
    start({}, 2);
    const others: boolean[] = [];
    for (let n = 0; n < 2; n += 1) {
      plan.next();
      others.push(plan.hasOthers);
    }
    expect(others).toEqual([true, false]);
  });
});

describe('the time of an attempt', () => {
  it.each([
    [2, 600],
    [3, 400],
    [9, 200],
  ])('is an equal share of the time that is left: of %d attempts and 6 engines %d ms', (maxAttempts, timeoutMs) => {
    start({ maxAttempts });
    expect([plan.next()?.timeoutMs, sent]).toEqual([timeoutMs, [1]]);
  });

  it('grows with the engines that cannot be asked', () => {
    for (const engine of engines.slice(2)) engine.isAvailable = false;
    expect(plan.next()?.timeoutMs).toBe(600);
  });

  it('is not limited for the last one, nor without retries', () => {
    start({ maxAttempts: 1 });
    expect(plan.next()?.timeoutMs).toBe(Infinity);
    start({ budget: new RetryBudget(0, 0) });
    expect(plan.next()?.timeoutMs).toBe(Infinity);
  });

  it('is half of the time that is left for a confirmation', () => {
    plan.failed(plan.next()!, refused);
    jest.advanceTimersByTime(200);
    expect(plan.next()?.timeoutMs).toBe(500);
  });

  it('is that of all requests that are sent at once', () => {
    plan.next(7);
    expect(sent).toEqual([7]);
  });

  it('is not limited if an engine that was late is asked again', () => {
    start({}, 2);
    plan.failed(plan.next()!, error('ATTEMPT_TIMEOUT'));
    plan.failed(plan.next()!, lost);
    expect(plan.next()).toBeUndefined();
    const again = plan.again();
    expect([again?.engine.id, again?.timeoutMs, plan.again()]).toEqual(['a', Infinity, undefined]);
  });
});

describe('a claim', () => {
  it('has the time that it took', () => {
    const [first, second] = [plan.next()!, plan.next()!];
    jest.advanceTimersByTime(30);
    plan.failed(first, refused);
    jest.advanceTimersByTime(20);
    plan.answered(second, fakeInference());
    expect(execution.claims.map(({ engine, durationMs }) => [engine.id, durationMs])).toEqual([
      ['a', 30],
      ['b', 50],
    ]);
  });
});

describe('the result of a request', () => {
  it('without an engine has the last error as its cause', () => {
    start({}, 2);
    const last = error('DRAINING');
    expect(tryInTurn(lost, last)).toBe('ab');
    expect(plan.exhausted).toMatchObject({ kind: 'NO_ENGINE', cause: last });
  });

  it('is the first of the refusals that agree', () => {
    const first = error('NON_FINITE', { metadata: { step: '3', text: 'first' } });
    plan.failed(plan.next()!, first);
    expect(plan.failed(plan.next()!, refused)).toMatchObject({ metadata: { text: 'first', confirmed_by: 'a, b' } });
  });

  it('is no refusal of half of the engines that refused', () => {
    start({ maxAttempts: 4 });
    const attempts = engines.slice(0, 4).map(() => plan.next()!);
    const ends = ['3', '4', '5', '3'].map((step, n) =>
      plan.failed(attempts[n]!, error('NON_FINITE', { metadata: { step } })),
    );
    expect(ends).toEqual([undefined, undefined, undefined, undefined]);
  });
});
