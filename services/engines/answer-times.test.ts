import { beforeEach, describe, expect, it } from '@jest/globals';
import { AnswerTimes } from './answer-times.ts';

const BYTES = 12;
/** Of an engine that answers in `latencyMs`, with so many in flight. */
function known(latencyMs: number, inFlight = 1, bytes = BYTES): AnswerTimes {
  const times = new AnswerTimes();
  for (let n = 0; n < 50; n += 1) times.recordAnswer(latencyMs, inFlight, bytes, 0, n);
  return times;
}

let times: AnswerTimes;

beforeEach(() => {
  times = new AnswerTimes();
});

describe('the time of an attempt', () => {
  it('is its share of the caller’s time while nothing is known', () => {
    expect([times.isKnown, times.attemptMs(1, BYTES, 667)]).toEqual([false, 667]);
  });

  it('is 250 ms where the engine answers in less', () => {
    expect(known(3).attemptMs(1, BYTES, 667)).toBe(250);
  });

  it('is what the engine’s answers take, with room for their deviation', () => {
    const varied = new AnswerTimes();
    for (let n = 0; n < 200; n += 1) varied.recordAnswer(n % 2 === 0 ? 200 : 400, 1, BYTES, 0, n);
    // 300 ms on average, which they miss by 100.
    expect(varied.attemptMs(1, BYTES, 10_000)).toBeGreaterThan(650);
    expect(varied.attemptMs(1, BYTES, 10_000)).toBeLessThan(750);
  });

  it('is never more than its share, even where the deviation is large', () => {
    const varied = new AnswerTimes();
    for (let n = 0; n < 200; n += 1) varied.recordAnswer(n % 2 === 0 ? 200 : 400, 1, BYTES, 0, n);
    expect(varied.attemptMs(1, BYTES, 660)).toBe(660);
  });

  it('is more than its share for a model that takes longer, since every attempt would be ended', () => {
    expect(known(1_500).attemptMs(1, BYTES, 667)).toBeGreaterThan(1_500);
  });

  it('grows with what is in flight, for a loaded engine works off a queue', () => {
    expect(known(20).attemptMs(64, BYTES, 667)).toBeCloseTo(2 * 64 * 20);
    expect(known(20, 64).attemptMs(64, BYTES, 667)).toBe(250);
  });

  it('grows with the input', () => {
    expect(known(100).attemptMs(1, 20 * BYTES, 667)).toBeGreaterThan(2_000);
  });

  it('does not grow much with one late answer', () => {
    const late = known(3);
    late.recordAnswer(1_900, 1, BYTES, 0, 100);
    expect(late.attemptMs(1, BYTES, 667)).toBeLessThan(350);
  });

  it('grows at once where an engine that is not to blame did not answer in time', () => {
    const slower = known(3);
    slower.recordSlow(250, BYTES);
    expect(slower.attemptMs(1, BYTES, 1_000)).toBe(750);
  });

  it('shrinks again with the answers that follow', () => {
    const faster = known(3);
    faster.recordSlow(250, BYTES);
    for (let n = 0; n < 50; n += 1) faster.recordAnswer(3, 1, BYTES, 0, n);
    expect(faster.attemptMs(1, BYTES, 667)).toBe(250);
  });
});

describe('waiting for an answer', () => {
  it('begins with the first request', () => {
    times.recordRequest(5);
    times.recordRequest(7);
    expect(times.waitingSinceMs).toBe(5);
  });

  it('ends with an answer, and begins anew where others are in flight', () => {
    times.recordRequest(5);
    times.recordAnswer(3, 1, BYTES, 0, 8);
    expect([times.waitingSinceMs, times.lastAnswerMs]).toEqual([Infinity, 8]);
    times.recordRequest(9);
    times.recordAnswer(3, 2, BYTES, 1, 12);
    expect(times.waitingSinceMs).toBe(12);
  });

  it('ends where the last request was taken back', () => {
    times.recordRequest(5);
    times.recordLeft(1);
    expect(times.waitingSinceMs).toBe(5);
    times.recordLeft(0);
    expect(times.waitingSinceMs).toBe(Infinity);
  });
});
