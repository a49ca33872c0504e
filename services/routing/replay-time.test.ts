import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RouterError } from '../core/errors.ts';
import { within } from './replay-time.ts';

let caller: AbortController;

beforeEach(() => {
  jest.useFakeTimers();
  caller = new AbortController();
});

afterEach(() => {
  jest.useRealTimers();
});

const ask = <T>(answer: Promise<T>, timeoutMs = 1_000): Promise<T> =>
  within(timeoutMs, { deadlineMs: Infinity, signal: caller.signal }, () => answer);
const never = new Promise<never>(() => undefined);

describe('within', () => {
  it('returns the answer, and leaves no timer and no listener', async () => {
    expect(await ask(Promise.resolve('answer'))).toBe('answer');
    expect([jest.getTimerCount(), getEventListeners(caller.signal, 'abort').length]).toEqual([0, 0]);
  });

  it('fails with ENGINE_SLOW after timeoutMs if the engine ignores the limit', async () => {
    const answer = ask(never, 50);
    const failed = expect(answer).rejects.toMatchObject({ kind: 'ENGINE_SLOW' });
    await jest.advanceTimersByTimeAsync(50);
    await failed;
  });

  it('fails with the reason of the caller, who leaves', async () => {
    const why = new RouterError('CANCELLED', 'the caller left');
    const answer = ask(never);
    caller.abort(why);
    await expect(answer).rejects.toBe(why);
  });
});
