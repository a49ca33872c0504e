import { describe, expect, it } from '@jest/globals';
import { Speed } from './speed.ts';

describe('Speed', () => {
  it('expects 0 ms before the first answer', () => {
    expect(new Speed().expectedMs(3)).toBe(0);
  });

  it('is the first latency, then a mean over about half a second', () => {
    const speed = new Speed();
    speed.recordAnswer(8, 1, 0);
    expect([speed.latencyMs, speed.expectedMs(0)]).toEqual([8, 8]);
    for (let nowMs = 1; nowMs <= 5_000; nowMs += 1) speed.recordAnswer(2, 1, nowMs);
    expect(speed.latencyMs).toBeCloseTo(2, 1);
  });

  it('moves by 1 - 1/e to an answer 500 ms later, and again to the next', () => {
    const speed = new Speed();
    speed.recordAnswer(0, 1, 0);
    speed.recordAnswer(1_000, 1, 500);
    expect(speed.latencyMs).toBeCloseTo(1_000 * (1 - 1 / Math.E), 6);
    speed.recordAnswer(0, 1, 1_000);
    expect(speed.latencyMs).toBeCloseTo((1_000 * (1 - 1 / Math.E)) / Math.E, 6);
  });

  it('forgets a slow answer after a fast one if requests are rare', () => {
    const speed = new Speed();
    speed.recordAnswer(20, 1, 0);
    speed.recordAnswer(0.5, 1, 1_000);
    speed.recordAnswer(0.5, 1, 2_000);
    expect(speed.latencyMs).toBeLessThan(1);
  });

  it('expects queued requests to run one after the other', () => {
    const speed = new Speed();
    speed.recordAnswer(8, 4, 0);
    expect([0, 3, 7].map((inFlight) => speed.expectedMs(inFlight))).toEqual([2, 8, 16]);
  });

  it('expects 1,000 ms after a fast failure, but little after many answers', () => {
    const speed = new Speed();
    speed.recordFailure(1, 0);
    expect([speed.expectedMs(0), speed.latencyMs]).toEqual([1_000, 0]);
    const busy = new Speed();
    for (let nowMs = 0; nowMs <= 1_000; nowMs += 1) busy.recordAnswer(2, 1, nowMs);
    busy.recordFailure(1, 1_001);
    expect([busy.expectedMs(0) < 5, busy.latencyMs]).toEqual([true, 2]);
  });

  it('expects the time of a failure that took longer than 1,000 ms', () => {
    const speed = new Speed();
    speed.recordFailure(5_000, 0);
    expect(speed.expectedMs(0)).toBe(5_000);
  });

  it('expects the longest time of a recent request without an answer', () => {
    const speed = new Speed();
    speed.recordUnanswered(40, 0);
    speed.recordUnanswered(3, 1_000);
    expect(speed.expectedMs(0)).toBe(40);
    speed.recordUnanswered(80, 60_000);
    expect(speed.expectedMs(0)).toBeCloseTo(80, 5);
  });

  it('is failing after three requests without an answer, until one answer', () => {
    const speed = new Speed();
    speed.recordFailure(1, 0);
    speed.recordUnanswered(1, 1);
    expect(speed.isFailing).toBe(false);
    speed.recordFailure(1, 2);
    expect(speed.isFailing).toBe(true);
    speed.recordAnswer(1, 1, 3);
    speed.recordFailure(1, 4);
    speed.recordFailure(1, 5);
    expect(speed.isFailing).toBe(false);
  });
});
