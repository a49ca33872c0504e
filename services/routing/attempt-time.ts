// Time limit of an attempt: the usual latency of the engine, at most its share of the caller's time, and never more
// than `attemptTimeoutMs`.
import type { EngineClient, AttemptContext } from './attempt.ts';

/**
 * `attempts`: number of attempts that must fit into the caller's time, including this one. Returns Infinity for the
 * last one, which may use the rest. `requests`: number sent at once.
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

/** A ballot gets this share of the remaining time, so that a stand-in can still vote. */
const WITH_STAND_IN = 2;
/** Without a stand-in, the vote can only wait and decide from the other ballots before the deadline. */
const WITHOUT_STAND_IN = 1.25;

/**
 * Time limit of a ballot. `hasStandIn`: another engine can vote in its place. It gets its whole share, because an
 * engine is asked once in a vote and an abandoned ballot is lost.
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
