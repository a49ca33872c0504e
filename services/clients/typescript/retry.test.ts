import { describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { TandemError } from './errors.ts';
import { retryDelayMs, withRetries } from './retry.ts';

function failure(code: status, retryAfterMs?: number): TandemError {
  return new TandemError('failed', code, { reason: '', metadata: {}, fields: [], retryAfterMs });
}

const later = (): { deadline: number; isRepeatable: boolean; signal: undefined } => ({
  deadline: Date.now() + 60_000,
  isRepeatable: true,
  signal: undefined,
});

describe('the retry policy', () => {
  it('waits for the delay that the router names', () => {
    expect(retryDelayMs(failure(status.RESOURCE_EXHAUSTED, 30), 1, false)).toBe(30);
    expect(retryDelayMs(failure(status.UNAVAILABLE, 30), 1, false)).toBe(30);
  });

  it('doubles its own delay if the router does not answer', () => {
    const delay = (attempt: number): number => retryDelayMs(failure(status.UNAVAILABLE), attempt, true)!;
    for (const [attempt, middle] of [
      [1, 100],
      [2, 200],
      [3, 400],
    ] as const) {
      expect(delay(attempt)).toBeGreaterThanOrEqual(middle / 2);
      expect(delay(attempt)).toBeLessThanOrEqual(middle * 1.5);
    }
  });

  it.each([
    ['a message that is too large', failure(status.RESOURCE_EXHAUSTED), true],
    ['a call that may have been executed', failure(status.UNAVAILABLE), false],
    ['a bad request', failure(status.INVALID_ARGUMENT), true],
    ['an error of another kind', new Error('a bug'), true],
  ])('does not repeat %s', (_, error, isRepeatable) => {
    expect(retryDelayMs(error, 1, isRepeatable)).toBeUndefined();
  });

  it('returns the last error after four attempts', async () => {
    let attempts = 0;
    const call = (): Promise<never> => Promise.reject(failure(status.UNAVAILABLE, ++attempts / 1_000));
    await expect(withRetries(call, later())).rejects.toMatchObject({ retryAfterMs: 0.004 });
    expect(attempts).toBe(4);
  });

  it('does not wait past the deadline', async () => {
    let attempts = 0;
    const call = (): Promise<never> => Promise.reject(failure(status.UNAVAILABLE, 60_000 * ++attempts));
    await expect(withRetries(call, later())).rejects.toMatchObject({ retryAfterMs: 60_000 });
  });
});
