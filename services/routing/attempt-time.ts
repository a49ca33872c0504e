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

/** A ballot gets this part of the time that is left, so that a stand-in can still vote. */
const WITH_STAND_IN = 2;
/** Without one there is nothing to do but to wait, and to conclude from the other ballots before the deadline. */
const WITHOUT_STAND_IN = 1.25;

/** How long an engine may take over its ballot. `hasStandIn`: another engine can vote in its place. */
export function ballotTimeMs(engine: Askable, asking: Asking, hasStandIn: boolean, nowMs: number): number {
  if (hasStandIn) return attemptTimeMs(engine, asking, WITH_STAND_IN, nowMs);
  const shareMs = Math.max(0, asking.context.deadlineMs - nowMs) / WITHOUT_STAND_IN;
  return Math.max(
    attemptTimeMs(engine, asking, WITHOUT_STAND_IN, nowMs),
    Math.min(shareMs, asking.options.attemptTimeoutMs),
  );
}
