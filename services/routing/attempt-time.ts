// How long one engine may take before another is asked: as long as its own answers usually take, at most its share of the
// caller's time, and never longer than `attemptTimeoutMs`.
import type { Askable, Asking } from './ask.ts';

/** `attempts`: that the caller's time must do for, this one included. Infinity for the last one: it may use the rest. */
export function attemptTimeMs(
  engine: Askable,
  { input, context, options }: Asking,
  attempts: number,
  nowMs: number,
): number {
  if (attempts <= 1) return Infinity;
  const leftMs = Math.max(0, context.deadlineMs - nowMs);
  return Math.min(options.attemptTimeoutMs, engine.attemptMs(input, leftMs / attempts));
}
