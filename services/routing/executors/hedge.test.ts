import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fakeExecution } from '../../../test/fakes/fake-parts.ts';
import { type HandDriven, askedOf, fourEngines } from '../../../test/fakes/hand-driven.ts';
import { RouterError } from '../../core/errors.ts';
import type { AttemptOptions } from '../attempt.ts';
import type { Outcome } from '../executor.ts';
import { hedge } from './hedge.ts';
import { RetryBudget } from '../retry-budget.ts';

let a: HandDriven;
let b: HandDriven;
let c: HandDriven;
let caller: AbortController;

beforeEach(() => {
  jest.useFakeTimers();
  [a, b, c] = fourEngines();
  caller = new AbortController();
});

afterEach(() => {
  jest.useRealTimers();
});

function start(latencyQuantileMs = 10, over: Partial<AttemptOptions> = {}): Promise<Outcome<HandDriven>> {
  return hedge(fakeExecution([a, b, c], caller.signal, over, { latencyQuantileMs }));
}

const askedIds = (): string[] => askedOf([a, b, c]);
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

describe('hedge', () => {
  it('asks one engine if it answers within the latency quantile', async () => {
    const answering = start();
    await pass(9);
    a.answer();
    expect((await answering).engine.id).toBe('a');
    await pass(1_000);
    expect(askedIds()).toEqual(['a']);
  });

  it('asks a second engine if the first is slow, and cancels the slower one', async () => {
    const answering = start();
    await pass(10);
    expect(askedIds()).toEqual(['a', 'b']);
    b.answer();
    expect((await answering).engine.id).toBe('b');
    expect([a.signal?.aborted, b.signal?.aborted]).toEqual([true, false]);
  });

  it('asks a third engine if the second is slow, too', async () => {
    const answering = start();
    await pass(29);
    expect(askedIds()).toEqual(['a', 'b']);
    await pass(1);
    expect(askedIds()).toEqual(['a', 'b', 'c']);
    c.answer();
    expect((await answering).engine.id).toBe('c');
    expect([a.signal?.aborted, b.signal?.aborted]).toEqual([true, true]);
  });

  it('asks at most maxAttempts engines', async () => {
    void start(10, { maxAttempts: 2 });
    await pass(10_000);
    expect(askedIds()).toEqual(['a', 'b']);
  });

  it('asks the next engine at once if one fails', async () => {
    const answering = start();
    a.fail('ENGINE_LOST');
    await pass(0);
    expect(askedIds()).toEqual(['a', 'b']);
    b.answer();
    expect((await answering).engine.id).toBe('b');
  });

  it('asks the next engine after attemptTimeoutMs if the quantile is unknown', async () => {
    void hedge(fakeExecution([a, b, c], caller.signal));
    await pass(999);
    expect(askedIds()).toEqual(['a']);
    await pass(1);
    expect(askedIds()).toEqual(['a', 'b']);
  });

  it.each([undefined, 5_000])(
    'asks the third engine before the deadline if the quantile is %s ms',
    async (latencyQuantileMs) => {
      const context = { deadlineMs: performance.now() + 2_000, signal: caller.signal };
      const over = { latencyQuantileMs, context };
      const answering = hedge(fakeExecution([a, b, c], caller.signal, { attemptTimeoutMs: 10_000 }, over));
      await pass(1_200);
      expect(askedIds()).toEqual(['a', 'b', 'c']);
      c.answer();
      expect((await answering).engine.id).toBe('c');
    },
  );

  it('limits the time of each engine except the last', async () => {
    void start();
    await pass(100);
    expect([a, b, c].map(({ timeoutMs }) => timeoutMs)).toEqual([1_000, 1_000, Infinity]);
  });

  it('asks no second engine if the retry budget is spent', async () => {
    void start(10, { budget: new RetryBudget(0, 0) });
    await pass(10_000);
    expect(askedIds()).toEqual(['a']);
  });

  it('fails with the outcome of each engine if all fail', async () => {
    const answering = start();
    answering.catch(() => undefined);
    for (const engine of [a, b, c]) {
      engine.fail('ENGINE_LOST');
      await pass(0);
    }
    await expect(answering).rejects.toMatchObject({
      kind: 'NO_ENGINE',
      metadata: { tried: 'a: ENGINE_LOST, b: ENGINE_LOST, c: ENGINE_LOST' },
    });
  });

  it('asks another engine if one refuses, and returns its answer', async () => {
    const answering = start();
    a.fail('NON_FINITE');
    await pass(0);
    expect(askedIds()).toEqual(['a', 'b']);
    b.answer();
    expect((await answering).engine.id).toBe('b');
  });

  it('returns the answer of a second engine in flight if the first refuses', async () => {
    const answering = start();
    await pass(10);
    a.fail('NON_FINITE');
    await pass(0);
    expect(askedIds()).toEqual(['a', 'b', 'c']);
    b.answer();
    expect((await answering).engine.id).toBe('b');
    expect(c.signal?.aborted).toBe(true);
  });

  it('fails with the refusal if two engines refuse alike', async () => {
    const answering = start();
    a.fail('NON_FINITE', { step: '3', node: 'lif1' });
    await pass(0);
    b.fail('NON_FINITE', { step: '3', node: 'lif1' });
    await expect(answering).rejects.toMatchObject({ kind: 'NON_FINITE', metadata: { confirmed_by: 'a, b' } });
  });

  it('cancels all engines if the caller leaves', async () => {
    const answering = start();
    answering.catch(() => undefined);
    await pass(10);
    caller.abort(new RouterError('CANCELLED', 'the caller left'));
    await expect(answering).rejects.toMatchObject({ message: 'the caller left' });
    expect([a.signal?.aborted, b.signal?.aborted]).toEqual([true, true]);
  });
});
