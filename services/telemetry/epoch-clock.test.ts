import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Clocks, EpochClock } from './epoch-clock.ts';

const ORIGIN_MS = 1_800_000_000_000.25;

/** The system's clock, to the microsecond; a reading is rounded down to milliseconds. */
let trueOriginMs: number;
let nowMs: number;
/** The duration of each reading. */
let delayMs: number;

const clocks: Clocks = {
  now: () => (nowMs += delayMs),
  wall: () => Math.floor(trueOriginMs + (nowMs += delayMs)),
};

beforeEach(() => {
  [trueOriginMs, nowMs, delayMs] = [ORIGIN_MS, 1_000, 0.001];
});

/** The readings do not fall on whole milliseconds. */
function adjustOften(clock: EpochClock, times = 2_000): void {
  for (let time = 0; time < times; time += 1) {
    nowMs += 7.137;
    clock.adjust();
  }
}

describe('the epoch clock', () => {
  it('stays correct', () => {
    const clock = new EpochClock(ORIGIN_MS, clocks);
    adjustOften(clock);
    expect(clock.toEpochMs(0)).toBe(ORIGIN_MS);
  });

  it.each([-3_600_000, -1.5, -0.4, 0.4, 1.5, 3_600_000])(
    'is correct soon after the system’s clock was set by %d ms',
    (byMs) => {
      const clock = new EpochClock(ORIGIN_MS, clocks);
      trueOriginMs += byMs;
      adjustOften(clock, 1);
      expect(Math.abs(clock.toEpochMs(0) - trueOriginMs)).toBeLessThanOrEqual(1.01);
      adjustOften(clock);
      expect(Math.abs(clock.toEpochMs(0) - trueOriginMs)).toBeLessThan(0.02);
    },
  );

  it('stays correct if it is interrupted between two readings', () => {
    const clock = new EpochClock(ORIGIN_MS, clocks);
    delayMs = 50;
    adjustOften(clock);
    expect(clock.toEpochMs(0)).toBe(ORIGIN_MS);
  });
});
