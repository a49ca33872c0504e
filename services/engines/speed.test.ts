import { describe, expect, it } from '@jest/globals';
import { Speed } from './speed.ts';

describe('the speed of an engine', () => {
  it('is unknown until it has answered', () => {
    expect(new Speed().expectedMs(3)).toBe(0);
  });

  it('is its first answer’s, then the mean of what it did in about the last half second', () => {
    const speed = new Speed();
    speed.record(8, 1, 0);
    expect([speed.latencyMs, speed.expectedMs(0)]).toEqual([8, 8]);
    for (let nowMs = 1; nowMs <= 5_000; nowMs += 1) speed.record(2, 1, nowMs);
    expect(speed.latencyMs).toBeCloseTo(2, 1);
  });

  it('forgets a slow answer after one quick one, where it is seldom asked', () => {
    const speed = new Speed();
    speed.record(20, 1, 0);
    speed.record(0.5, 1, 1_000);
    speed.record(0.5, 1, 2_000);
    expect(speed.latencyMs).toBeLessThan(1);
  });

  it('expects a queue to be worked off one after the other', () => {
    const speed = new Speed();
    speed.record(8, 4, 0);
    expect([0, 3, 7].map((inFlight) => speed.expectedMs(inFlight))).toEqual([2, 8, 16]);
  });
});
