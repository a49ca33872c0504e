import { beforeEach, describe, expect, it } from '@jest/globals';
import { AnswerTimes } from './answer-times.ts';

const BYTES = 12;
/** The times of an engine that answers in `latencyMs`, with `inFlight` requests in flight. */
function known(latencyMs: number, inFlight = 1, bytes = BYTES): AnswerTimes {
  const times = new AnswerTimes();
  for (let n = 0; n < 50; n += 1) times.recordAnswer(latencyMs, inFlight, bytes, 0, n);
  return times;
}

let times: AnswerTimes;

beforeEach(() => {
  times = new AnswerTimes();
});

describe('AnswerTimes.attemptMs', () => {
  it('returns the share of the caller’s time if no answer is known', () => {
    expect([times.isKnown, times.attemptMs(1, BYTES, 667)]).toEqual([false, 667]);
  });

  it('returns 250 ms if the engine answers faster', () => {
    expect(known(3).attemptMs(1, BYTES, 667)).toBe(250);
  });

  it('adds four deviations to the mean latency', () => {
    const varied = new AnswerTimes();
    for (let n = 0; n < 200; n += 1) varied.recordAnswer(n % 2 === 0 ? 200 : 400, 1, BYTES, 0, n);
    // A mean of 300 ms with a deviation of 100 ms.
    expect(varied.attemptMs(1, BYTES, 10_000)).toBeGreaterThan(650);
    expect(varied.attemptMs(1, BYTES, 10_000)).toBeLessThan(750);
  });

  it('is at most the share, even if the deviation is large', () => {
    const varied = new AnswerTimes();
    for (let n = 0; n < 200; n += 1) varied.recordAnswer(n % 2 === 0 ? 200 : 400, 1, BYTES, 0, n);
    expect(varied.attemptMs(1, BYTES, 660)).toBe(660);
  });

  it('exceeds the share if every attempt would otherwise time out', () => {
    expect(known(1_500).attemptMs(1, BYTES, 667)).toBeGreaterThan(1_500);
  });

  it('grows with the number of requests in flight', () => {
    expect(known(20).attemptMs(64, BYTES, 667)).toBeCloseTo(2 * 64 * 20);
    expect(known(20, 64).attemptMs(64, BYTES, 667)).toBe(250);
  });

  it('grows with the size of the input', () => {
    expect(known(100).attemptMs(1, 20 * BYTES, 667)).toBeGreaterThan(2_000);
  });

  it('grows little with one late answer', () => {
    const late = known(3);
    late.recordAnswer(1_900, 1, BYTES, 0, 100);
    expect(late.attemptMs(1, BYTES, 667)).toBeLessThan(350);
  });

  it('grows at once after a timeout that was not the engine’s fault', () => {
    const slower = known(3);
    slower.recordSlow(250, BYTES);
    expect(slower.attemptMs(1, BYTES, 1_000)).toBe(750);
  });

  it('shrinks with faster answers', () => {
    const faster = known(3);
    faster.recordSlow(250, BYTES);
    for (let n = 0; n < 50; n += 1) faster.recordAnswer(3, 1, BYTES, 0, n);
    expect(faster.attemptMs(1, BYTES, 667)).toBe(250);
  });
});

describe('AnswerTimes.latencyQuantileMs', () => {
  it('is 0 before the first answer, whatever its size', () => {
    expect([times.latencyQuantileMs(1, BYTES), times.lastAnswerMs]).toEqual([0, -Infinity]);
  });

  it('is three times the first latency', () => {
    times.recordAnswer(100, 1, BYTES, 0, 1);
    expect(times.latencyQuantileMs(1, BYTES)).toBe(300);
  });

  it('moves by an eighth to the second latency, and its deviation by a quarter', () => {
    times.recordAnswer(100, 1, BYTES, 0, 1);
    times.recordAnswer(180, 1, BYTES, 0, 2);
    expect(times.latencyQuantileMs(1, BYTES)).toBe(110 + 4 * 57.5);
  });

  it('moves by an eighth to the second latency for each request in flight', () => {
    times.recordAnswer(100, 1, BYTES, 0, 1);
    times.recordAnswer(100, 4, BYTES, 0, 2);
    expect(times.latencyQuantileMs(64, BYTES)).toBe(2 * 64 * (100 - 75 / 8));
  });

  it('compares an input with the mean size, which moves by an eighth', () => {
    times.recordAnswer(100, 1, 12, 0, 1);
    times.recordAnswer(100, 1, 20, 0, 2);
    expect([1, 13, 26].map((bytes) => times.latencyQuantileMs(1, bytes))).toEqual([250, 250, 500]);
  });

  it('compares an input with one of a single byte', () => {
    times.recordAnswer(100, 1, 1, 0, 1);
    expect(times.latencyQuantileMs(1, 2)).toBe(600);
  });

  it('is known after an answer in less than a millisecond', () => {
    times.recordAnswer(0, 1, BYTES, 0, 1);
    expect(times.isKnown).toBe(true);
  });
});

describe('AnswerTimes.recordSlow', () => {
  it('takes the size of the input for the first estimate only', () => {
    times.recordSlow(200, BYTES);
    expect(times.latencyQuantileMs(1, 2 * BYTES)).toBe(2 * 600);
    times.recordSlow(400, 2 * BYTES);
    expect(times.latencyQuantileMs(1, 2 * BYTES)).toBe(2 * 1_200);
  });

  it('changes nothing if answers usually take as long', () => {
    const steady = known(100);
    const before = steady.latencyQuantileMs(1, BYTES);
    steady.recordSlow(100, BYTES);
    expect(steady.latencyQuantileMs(1, BYTES)).toBe(before);
  });
});

describe('AnswerTimes.waitingSinceMs', () => {
  it('is the time of the first request', () => {
    times.recordRequest(5);
    times.recordRequest(7);
    expect(times.waitingSinceMs).toBe(5);
  });

  it('is reset by an answer, and to its time if others are in flight', () => {
    times.recordRequest(5);
    times.recordAnswer(3, 1, BYTES, 0, 8);
    expect([times.waitingSinceMs, times.lastAnswerMs]).toEqual([Infinity, 8]);
    times.recordRequest(9);
    times.recordAnswer(3, 2, BYTES, 1, 12);
    expect(times.waitingSinceMs).toBe(12);
  });

  it('is reset when the last request is cancelled', () => {
    times.recordRequest(5);
    times.recordLeft(1);
    expect(times.waitingSinceMs).toBe(5);
    times.recordLeft(0);
    expect(times.waitingSinceMs).toBe(Infinity);
  });
});
