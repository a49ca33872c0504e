// For `node --import`: changes the wall clock by the offset and rate in a file. Test only.
import { readFileSync } from 'node:fs';

export interface WallClock {
  /** Milliseconds that it is ahead. */
  readonly aheadMs: number;
  /** By how much faster it runs: 0.1 is 10 %. */
  readonly drift: number;
}

const POLL_MS = 20;
const file = process.env['TEST_CLOCK_FILE'] ?? '';
const RealDate = Date;
let clock: WallClock = { aheadMs: 0, drift: 0 };
let sinceMs = RealDate.now();

const now = (): number => {
  const realMs = RealDate.now();
  return Math.round(realMs + clock.aheadMs + (realMs - sinceMs) * clock.drift);
};

class ShiftedDate extends RealDate {
  constructor(...given: unknown[]) {
    if (given.length === 0) super(now());
    else super(...(given as [number]));
  }
  static override now(): number {
    return now();
  }
}
globalThis.Date = ShiftedDate as DateConstructor;

setInterval(() => {
  const read = JSON.parse(readFileSync(file, 'utf8')) as WallClock;
  if (read.aheadMs === clock.aheadMs && read.drift === clock.drift) return;
  clock = read;
  sinceMs = RealDate.now();
}, POLL_MS).unref();
