// The seed of one schedule, and its result.
import type { Broken } from './invariants.ts';

export interface Result {
  readonly requests: number;
  readonly answered: number;
  /** Hash of all events, in order. */
  readonly hash: number;
  readonly broken: Broken | undefined;
  readonly trace: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

export function seedOf(seed: number, schedule: number): number {
  let mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(schedule + 1, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}
