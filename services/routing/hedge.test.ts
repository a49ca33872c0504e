import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fakeAsking, silent } from '../../test/fakes/fake-parts.ts';
import { HandDriven } from '../../test/fakes/hand-driven.ts';
import { RouterError } from '../core/errors.ts';
import type { Answered } from './attempt.ts';
import { hedge } from './hedge.ts';
import { RetryBudget } from './retry-budget.ts';

let a: HandDriven;
let b: HandDriven;
let c: HandDriven;
let caller: AbortController;

beforeEach(() => {
  jest.useFakeTimers();
  [a, b, c] = ['a', 'b', 'c'].map((id) => new HandDriven(id)) as [HandDriven, HandDriven, HandDriven];
  caller = new AbortController();
});

afterEach(() => {
  jest.useRealTimers();
});

function start(delayMs: number | undefined = 10, budget = new RetryBudget(100, 20)): Promise<Answered<HandDriven>> {
  return hedge([a, b, c], delayMs, fakeAsking([a, b, c], caller.signal, { budget }));
}

const asked = (): string[] => [a, b, c].filter(({ signal }) => signal !== undefined).map(({ id }) => id);
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

describe('a hedged request', () => {
  it('asks one engine while that is as quick as most', async () => {
    const answering = start();
    await pass(9);
    a.answer();
    expect((await answering).engine.id).toBe('a');
    await pass(1_000);
    expect(asked()).toEqual(['a']);
  });

  it('asks a second one when the first takes longer, takes the first answer and stops the other', async () => {
    const answering = start();
    await pass(10);
    expect(asked()).toEqual(['a', 'b']);
    b.answer();
    expect((await answering).engine.id).toBe('b');
    expect([a.signal?.aborted, b.signal?.aborted]).toEqual([true, false]);
  });

  it('never has more than two under way', async () => {
    void start();
    await pass(10_000);
    expect(asked()).toEqual(['a', 'b']);
  });

  it('replaces an engine that fails at once', async () => {
    const answering = start();
    a.fail('ENGINE_LOST');
    await pass(0);
    expect(asked()).toEqual(['a', 'b']);
    b.answer();
    expect((await answering).engine.id).toBe('b');
  });

  it('does not hedge before it knows what most take', async () => {
    void hedge([a, b], undefined, {
      input: { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) },
      context: { deadlineMs: Infinity, signal: caller.signal },
      attempts: [],
      strategy: 'TEST',
      options: {
        maxAttempts: 3,
        attemptTimeoutMs: 1_000,
        budget: new RetryBudget(9, 20),
        observer: silent,
        onDispute: () => undefined,
        pool: { engines: [] },
      },
    });
    await pass(10_000);
    expect(asked()).toEqual(['a']);
  });

  it('does not hedge when the retry budget is spent', async () => {
    void start(10, new RetryBudget(0, 0));
    await pass(10_000);
    expect(asked()).toEqual(['a']);
  });

  it('fails with what was tried when all have failed', async () => {
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

  it('does not ask another engine what one refused for the caller’s fault', async () => {
    const answering = start();
    a.fail('NON_FINITE');
    await expect(answering).rejects.toMatchObject({ kind: 'NON_FINITE' });
    expect(asked()).toEqual(['a']);
  });

  it('stops everybody when its caller leaves', async () => {
    const answering = start();
    answering.catch(() => undefined);
    await pass(10);
    caller.abort(new RouterError('CANCELLED', 'the caller left'));
    await expect(answering).rejects.toMatchObject({ message: 'the caller left' });
    expect([a.signal?.aborted, b.signal?.aborted]).toEqual([true, true]);
  });
});
