import { describe, expect, it } from '@jest/globals';
import { Speed } from './speed.ts';

describe('the speed of an engine', () => {
  it('is unknown until it has answered', () => {
    expect(new Speed().expectedMs(3)).toBe(0);
  });

  it('is its first answer’s, then the mean of what it did in about the last half second', () => {
    const speed = new Speed();
    speed.recordAnswer(8, 1, 0);
    expect([speed.latencyMs, speed.expectedMs(0)]).toEqual([8, 8]);
    for (let nowMs = 1; nowMs <= 5_000; nowMs += 1) speed.recordAnswer(2, 1, nowMs);
    expect(speed.latencyMs).toBeCloseTo(2, 1);
  });

  it('forgets a slow answer after one quick one, where it is seldom asked', () => {
    const speed = new Speed();
    speed.recordAnswer(20, 1, 0);
    speed.recordAnswer(0.5, 1, 1_000);
    speed.recordAnswer(0.5, 1, 2_000);
    expect(speed.latencyMs).toBeLessThan(1);
  });

  it('expects a queue to be worked off one after the other', () => {
    const speed = new Speed();
    speed.recordAnswer(8, 4, 0);
    expect([0, 3, 7].map((inFlight) => speed.expectedMs(inFlight))).toEqual([2, 8, 16]);
  });

  it('is lost by a quick failure, and not at one stroke by one among many answers', () => {
    const speed = new Speed();
    speed.recordFailure(1, 0);
    expect([speed.expectedMs(0), speed.latencyMs]).toEqual([1_000, 0]);
    const busy = new Speed();
    for (let nowMs = 0; nowMs <= 1_000; nowMs += 1) busy.recordAnswer(2, 1, nowMs);
    busy.recordFailure(1, 1_001);
    expect([busy.expectedMs(0) < 5, busy.latencyMs]).toEqual([true, 2]);
  });

  it('is that of a timeout where this took longer than a failure costs', () => {
    const speed = new Speed();
    speed.recordFailure(5_000, 0);
    expect(speed.expectedMs(0)).toBe(5_000);
  });

  it('is at most what a request without an answer has shown', () => {
    const speed = new Speed();
    speed.recordUnanswered(40, 0);
    speed.recordUnanswered(3, 1_000);
    expect(speed.expectedMs(0)).toBe(40);
    speed.recordUnanswered(80, 60_000);
    expect(speed.expectedMs(0)).toBeCloseTo(80, 5);
  });

  it('is that of a failing engine after three requests without an answer, until it answers', () => {
    const speed = new Speed();
    speed.recordFailure(1, 0);
    speed.recordUnanswered(1, 1);
    expect(speed.isFailing).toBe(false);
    speed.recordFailure(1, 2);
    expect(speed.isFailing).toBe(true);
    speed.recordAnswer(1, 1, 3);
    expect(speed.isFailing).toBe(false);
  });
});
