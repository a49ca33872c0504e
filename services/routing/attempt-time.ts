// How long one engine may take before another is asked: as long as its own answers usually take, at most its share of the
// caller's time, and never longer than `attemptTimeoutMs`.
import type { EngineClient, AttemptContext } from './attempt.ts';

/**
 * `attempts`: that the caller's time must do for, this one included. Infinity for the last one: it may use the rest.
 * `requests`: how many such are sent at once.
 */
export function attemptTimeMs(
  engine: EngineClient,
  { input, context, options }: AttemptContext,
  attempts: number,
  nowMs: number,
  requests = 1,
): number {
  if (attempts <= 1) return Infinity;
  const leftMs = Math.max(0, context.deadlineMs - nowMs);
  return Math.min(options.attemptTimeoutMs, engine.attemptMs(input, leftMs / attempts, requests));
}

/** A ballot gets this part of the time that is left, so that a stand-in can still vote. */
const WITH_STAND_IN = 2;
/** Without one there is nothing to do but to wait, and to conclude from the other ballots before the deadline. */
const WITHOUT_STAND_IN = 1.25;

/**
 * How long an engine may take over its ballot. `hasStandIn`: another engine can vote in its place. It gets its whole share:
 * an engine is asked once in a vote, so that a ballot which is given up is lost.
 */
export function ballotTimeMs(
  engine: EngineClient,
  request: AttemptContext,
  hasStandIn: boolean,
  nowMs: number,
): number {
  const attempts = hasStandIn ? WITH_STAND_IN : WITHOUT_STAND_IN;
  const { context, options } = request;
  const shareMs = Math.max(0, context.deadlineMs - nowMs) / attempts;
  return Math.max(Math.min(shareMs, options.attemptTimeoutMs), attemptTimeMs(engine, request, attempts, nowMs));
}
