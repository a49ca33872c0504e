import { describe, expect, it } from '@jest/globals';
import { fakeExecution } from '../../test/fakes/fake-parts.ts';
import { HandDriven } from '../../test/fakes/hand-driven.ts';
import type { AttemptContext } from './attempt.ts';
import { attemptTimeMs, ballotTimeMs } from './attempt-time.ts';

const NOW_MS = 5_000;

/** An engine that needs `neededMs`, and what it was asked. */
function needing(neededMs: number): { readonly engine: HandDriven; readonly received: unknown[] } {
  const received: unknown[] = [];
  const attemptMs = (_input: unknown, shareMs: number, requests?: number): number => {
    received.push([shareMs, requests]);
    return neededMs;
  };
  return { engine: Object.assign(new HandDriven('a'), { attemptMs }), received };
}

/** A request whose caller waits for another `leftMs`. */
function request(leftMs: number, attemptTimeoutMs = 1_000): AttemptContext {
  const { signal } = new AbortController();
  return fakeExecution([], signal, { attemptTimeoutMs }, { context: { deadlineMs: NOW_MS + leftMs, signal } });
}

describe('attemptTimeMs', () => {
  it('is Infinity for the last attempt', () => {
    const { engine, received } = needing(10);
    expect([attemptTimeMs(engine, request(100), 1, NOW_MS), received]).toEqual([Infinity, []]);
  });

  it('is what the engine needs, of its share of the time that is left', () => {
    const { engine, received } = needing(10);
    expect(attemptTimeMs(engine, request(100), 2, NOW_MS)).toBe(10);
    expect(attemptTimeMs(engine, request(90), 3, NOW_MS, 16)).toBe(10);
    expect(attemptTimeMs(engine, request(-50), 2, NOW_MS)).toBe(10);
    expect(received).toEqual([
      [50, 1],
      [30, 16],
      [0, 1],
    ]);
  });

  it('is attemptTimeoutMs at most', () => {
    expect(attemptTimeMs(needing(5_000).engine, request(Infinity, 70), 2, NOW_MS)).toBe(70);
  });
});

describe('ballotTimeMs', () => {
  it.each([
    ['half of the time if another engine can vote instead', true, 100, 1_000, 50],
    ['four fifths of the time if none can', false, 100, 1_000, 80],
    ['attemptTimeoutMs at most', true, 100, 30, 30],
  ])('is %s', (_, hasStandIn, leftMs, attemptTimeoutMs, timeMs) => {
    expect(ballotTimeMs(needing(5).engine, request(leftMs, attemptTimeoutMs), hasStandIn, NOW_MS)).toBe(timeMs);
  });

  it('is none if the deadline has passed', () => {
    expect(ballotTimeMs(needing(0).engine, request(-10), true, NOW_MS)).toBe(0);
  });

  it('is what the engine needs if that is more', () => {
    expect(ballotTimeMs(needing(70).engine, request(100), true, NOW_MS)).toBe(70);
  });
});
