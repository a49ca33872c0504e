// The rules of attempt-plan.ts, tested through failover.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { fakeExecution } from '../../test/fakes/fake-parts.ts';
import { HandDriven, askedOf, fourEngines } from '../../test/fakes/hand-driven.ts';
import { RouterError } from '../core/errors.ts';
import type { AttemptOptions, Attempt } from './attempt.ts';
import type { Execution, Outcome } from './executor.ts';
import { failover } from './executors/failover.ts';
import type { Dispute } from './dispute.ts';
import { RetryBudget } from './retry-budget.ts';

const there = { step: '3', node: 'lif1' };

let [a, b, c, d] = fourEngines();
let caller: AbortController;
let disputes: Dispute[];
let attempts: readonly Attempt[];
let execution: Execution<HandDriven>;

beforeEach(() => {
  [a, b, c, d] = fourEngines();
  caller = new AbortController();
  disputes = [];
});

function start(
  engines: HandDriven[],
  over: Partial<AttemptOptions> = {},
  deadlineMs = Infinity,
): Promise<Outcome<HandDriven>> {
  const onDispute = (dispute: Dispute): void => void disputes.push(dispute);
  const context = { deadlineMs, signal: caller.signal };
  execution = fakeExecution(engines, caller.signal, { onDispute, ...over }, { context });
  ({ attempts } = execution);
  const answering = failover(execution);
  answering.catch(() => undefined);
  return answering;
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const askedIds = (): string => askedOf([a, b, c, d]).join('');

/** Runs each action after the event loop has settled, so that its engine was asked. */
async function inTurn(...acts: (() => void)[]): Promise<void> {
  for (const act of acts) {
    act();
    await settle();
  }
}

describe('a refusal in failover', () => {
  it('is confirmed by another engine before the caller gets it', async () => {
    const answering = start([a, b, c]);
    await inTurn(() => a.fail('NON_FINITE', there));
    expect(askedIds()).toBe('ab');
    await inTurn(() => b.fail('NON_FINITE', there));
    await expect(answering).rejects.toMatchObject({ kind: 'NON_FINITE', metadata: { ...there, confirmed_by: 'a, b' } });
    expect(askedIds()).toBe('ab');
  });

  it('is confirmed by an engine of another kind if there is one', async () => {
    c.kind = 'local';
    const answering = start([a, b, c]);
    await inTurn(() => a.fail('NON_FINITE', there));
    expect(askedIds()).toBe('ac');
    c.answer();
    expect((await answering).engine.id).toBe('c');
  });

  it('is replaced by the answer of another engine, which is not firm', async () => {
    const answering = start([a, b, c]);
    await inTurn(
      () => a.fail('NON_FINITE', there),
      () => b.answer(7n),
    );
    const { engine, isFirm } = await answering;
    expect([engine.id, isFirm]).toEqual(['b', false]);
    expect(execution.claims.map(({ engine }) => engine.id)).toEqual(['a', 'b']);
  });

  it('is decided by a third engine if the second refuses differently', async () => {
    const answering = start([a, b, c]);
    await inTurn(
      () => a.fail('NON_FINITE', there),
      () => b.fail('NON_FINITE', { ...there, step: '4' }),
      () => c.fail('NON_FINITE', { ...there, step: '4' }),
    );
    await expect(answering).rejects.toMatchObject({ metadata: { step: '4', confirmed_by: 'b, c' } });
  });

  it('is checked on a third engine if the second fails', async () => {
    const answering = start([a, b, c]);
    await inTurn(
      () => a.fail('NON_FINITE', there),
      () => b.fail('ENGINE_LOST'),
      () => c.answer(7n),
    );
    expect((await answering).engine.id).toBe('c');
  });

  it('is returned as unconfirmed if there is no other engine', async () => {
    const answering = start([a]);
    await inTurn(() => a.fail('NON_FINITE', there));
    await expect(answering).rejects.toMatchObject({ kind: 'NON_FINITE', metadata: { ...there, unconfirmed: 'true' } });
  });

  it('is returned as unconfirmed after two engines failed to confirm it', async () => {
    const answering = start([a, b, c, d]);
    await inTurn(
      () => a.fail('NON_FINITE', there),
      () => b.fail('ENGINE_LOST'),
      () => c.fail('ENGINE_LOST'),
    );
    await expect(answering).rejects.toMatchObject({ kind: 'NON_FINITE', metadata: { unconfirmed: 'true' } });
    expect(askedIds()).toBe('abc');
  });

  it('is confirmed even if no attempt and no retry is left', async () => {
    const answering = start([a, b, c], { maxAttempts: 1, budget: new RetryBudget(0, 0) });
    await inTurn(
      () => a.fail('NON_FINITE', there),
      () => b.fail('ENGINE_LOST'),
      () => c.answer(7n),
    );
    expect((await answering).engine.id).toBe('c');
  });

  it('is not confirmed by engines that are full or draining', async () => {
    const e = new HandDriven('e');
    const answering = start([a, b, c, d, e]);
    await inTurn(
      () => a.fail('NON_FINITE', there),
      () => b.fail('ENGINE_FULL'),
      () => c.fail('DRAINING'),
      () => d.fail('ENGINE_LOST'),
      () => e.answer(7n),
    );
    expect((await answering).engine.id).toBe('e');
  });

  it('gives the last confirming engine the time of one attempt', async () => {
    void start([a, b], { attemptTimeoutMs: 77 });
    await inTurn(() => a.fail('NON_FINITE', there));
    expect(b.timeoutMs).toBe(77);
  });

  it('is dropped if the caller leaves', async () => {
    const answering = start([a, b]);
    await inTurn(() => a.fail('NON_FINITE', there));
    caller.abort(new RouterError('CANCELLED', 'the caller left'));
    await expect(answering).rejects.toMatchObject({ kind: 'CANCELLED' });
  });
});

describe('a malformed answer in failover', () => {
  it('causes a retry on another engine and a dispute that names the engine', async () => {
    const answering = start([a, b]);
    await inTurn(
      () => a.fail('ENGINE_FAULT', { malformed: 'no spike counts' }),
      () => b.answer(7n),
    );
    expect((await answering).engine.id).toBe('b');
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['ENGINE_FAULT', 'OK']);
    expect(disputes).toMatchObject([{ verdict: 'MALFORMED', wrong: ['a'], right: undefined }]);
  });

  it('causes no dispute if the engine only failed', async () => {
    void start([a, b]);
    await inTurn(() => a.fail('ENGINE_FAULT'));
    expect(disputes).toEqual([]);
  });
});

describe('a full engine in failover', () => {
  it('uses neither an attempt nor a retry while others have free slots', async () => {
    const answering = start([a, b, c, d], { maxAttempts: 1, budget: new RetryBudget(0, 0) });
    await inTurn(
      () => a.fail('ENGINE_FULL'),
      () => b.fail('ENGINE_FULL'),
      () => c.fail('ENGINE_FULL'),
      () => d.answer(7n),
    );
    expect((await answering).engine.id).toBe('d');
  });

  it('uses an attempt if no other engine has free slots', async () => {
    for (const engine of [b, c, d]) engine.availableSlots = 0;
    const answering = start([a, b, c, d], { maxAttempts: 2 });
    await inTurn(
      () => a.fail('ENGINE_FULL'),
      () => b.fail('ENGINE_FULL'),
    );
    await expect(answering).rejects.toMatchObject({ kind: 'ROUTER_FULL' });
    expect(askedIds()).toBe('ab');
  });

  it('does not use a second retry if it comes after a retry', async () => {
    const answering = start([a, b, c, d], { budget: new RetryBudget(1, 1) });
    await inTurn(
      () => a.fail('ENGINE_LOST'),
      () => b.fail('ENGINE_FULL'),
      () => c.answer(7n),
    );
    expect((await answering).engine.id).toBe('c');
  });

  it('fails with ROUTER_FULL, even if other engines are draining', async () => {
    const answering = start([a, b, c]);
    await inTurn(
      () => a.fail('ENGINE_FULL'),
      () => b.fail('DRAINING'),
      () => c.fail('ENGINE_FULL'),
    );
    await expect(answering).rejects.toMatchObject({ kind: 'ROUTER_FULL', retryAfterMs: 100 });
  });

  it('fails with NO_ENGINE if another engine was lost', async () => {
    const answering = start([a, b]);
    await inTurn(
      () => a.fail('ENGINE_FULL'),
      () => b.fail('ENGINE_LOST'),
    );
    await expect(answering).rejects.toMatchObject({ kind: 'NO_ENGINE' });
  });
});

describe('an input too large for an engine in failover', () => {
  const limit = (bytes: number): Record<string, string> => ({ max_message_bytes: String(bytes) });

  it('goes to the next engine without an attempt or a retry', async () => {
    const answering = start([a, b], { maxAttempts: 1, budget: new RetryBudget(0, 0) });
    await inTurn(
      () => a.fail('INPUT_TOO_LARGE', limit(10)),
      () => b.answer(7n),
    );
    expect((await answering).engine.id).toBe('b');
  });

  it('is refused with the largest limit if it is too large for all engines', async () => {
    const answering = start([a, b, c]);
    await inTurn(
      () => a.fail('INPUT_TOO_LARGE', limit(10)),
      () => b.fail('INPUT_TOO_LARGE', limit(30)),
      () => c.fail('INPUT_TOO_LARGE', limit(20)),
    );
    await expect(answering).rejects.toMatchObject({ kind: 'INPUT_TOO_LARGE', metadata: limit(30) });
  });
});

describe('the timeout of an attempt in failover', () => {
  const timedOut = (engine: HandDriven) => (): void => engine.fail('ENGINE_SLOW');

  it('is an equal share of the time left, except for the last attempt', async () => {
    const answering = start([a, b, c], {}, performance.now() + 600);
    await inTurn(timedOut(a), timedOut(b), () => c.answer());
    await answering;
    expect(a.timeoutMs).toBeGreaterThan(190);
    expect(a.timeoutMs).toBeLessThanOrEqual(200);
    expect(b.timeoutMs).toBeGreaterThan(250);
    expect(b.timeoutMs).toBeLessThanOrEqual(300);
    expect(c.timeoutMs).toBe(Infinity);
  });

  it('is the share of as many attempts as there are engines', async () => {
    const answering = start([a, b], {}, performance.now() + 600);
    await inTurn(() => a.answer());
    await answering;
    expect(a.timeoutMs).toBeGreaterThan(250);
  });

  it('is attemptMs of the engine if that is shorter', async () => {
    a.attemptMs = () => 42;
    const answering = start([a, b]);
    await inTurn(() => a.answer());
    await answering;
    expect(a.timeoutMs).toBe(42);
  });

  it('is all the time left if the retry budget allows no other attempt', async () => {
    const answering = start([a, b], { budget: new RetryBudget(0, 0) });
    await inTurn(() => a.answer());
    await answering;
    expect(a.timeoutMs).toBe(Infinity);
  });

  it('leaves time for a third engine if the confirmation is late', async () => {
    const answering = start([a, b, c], {}, performance.now() + 600);
    await inTurn(() => a.fail('NON_FINITE', there), timedOut(b));
    expect(b.timeoutMs).toBeLessThanOrEqual(300);
    await inTurn(() => c.answer());
    expect((await answering).engine.id).toBe('c');
  });
});

describe('an engine that was late when all were, in failover', () => {
  const lateThenLost = [() => a.fail('ATTEMPT_TIMEOUT'), () => b.fail('ENGINE_LOST')];
  const outcomes = (): string[] => attempts.map(({ engineId, outcome }) => `${engineId} ${outcome}`);

  it('is asked once more, with all the time left, after the others have failed', async () => {
    const answering = start([a, b]);
    await inTurn(...lateThenLost);
    expect(a.timeoutMs).toBe(Infinity);
    await inTurn(() => a.answer(7n));
    expect((await answering).engine.id).toBe('a');
    expect(outcomes()).toEqual(['a ATTEMPT_TIMEOUT', 'b ENGINE_LOST', 'a OK']);
  });

  it('is asked no third time', async () => {
    const answering = start([a, b], { maxAttempts: 9 });
    await inTurn(...lateThenLost, () => a.fail('ENGINE_LOST'));
    await expect(answering).rejects.toMatchObject({ kind: 'NO_ENGINE' });
    expect(outcomes()).toHaveLength(3);
  });

  it('is not asked again if it is to blame', async () => {
    const answering = start([a, b]);
    await inTurn(() => a.fail('ENGINE_SLOW'), lateThenLost[1]!);
    await expect(answering).rejects.toMatchObject({ kind: 'NO_ENGINE' });
    expect(outcomes()).toHaveLength(2);
  });

  it('is not asked again if it is not available', async () => {
    const answering = start([a, b]);
    await inTurn(lateThenLost[0]!, () => (a.isAvailable = false), lateThenLost[1]!);
    await expect(answering).rejects.toMatchObject({ kind: 'NO_ENGINE' });
    expect(outcomes()).toHaveLength(2);
  });

  it('is not asked again if no attempt or no retry is left', async () => {
    for (const limit of [{ maxAttempts: 2 }, { budget: new RetryBudget(1, 1) }]) {
      [a, b] = fourEngines();
      const answering = start([a, b], limit);
      await inTurn(...lateThenLost);
      await expect(answering).rejects.toMatchObject({ kind: 'NO_ENGINE' });
      expect(outcomes()).toHaveLength(2);
    }
  });

  it('is not asked again if another engine has refused', async () => {
    const answering = start([a, b]);
    await inTurn(lateThenLost[0]!, () => b.fail('NON_FINITE', there));
    await expect(answering).rejects.toMatchObject({ kind: 'NON_FINITE', metadata: { unconfirmed: 'true' } });
    expect(outcomes()).toHaveLength(2);
  });
});

describe('a temporarily unavailable engine in failover', () => {
  it('is asked later, once it is available', async () => {
    a.isAvailable = false;
    const answering = start([a, b]);
    await settle();
    a.isAvailable = true;
    await inTurn(
      () => b.fail('ENGINE_LOST'),
      () => a.answer(),
    );
    expect((await answering).engine.id).toBe('a');
  });
});
