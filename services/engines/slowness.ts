// Decides whether a time-out or silence is an engine's fault, by comparing it with the other engines that hold the
// model. If they are as slow, the cause is the load or the model, not the engine.
import type { AnswerTimes } from './answer-times.ts';

/** A healthy engine may pause this long, milliseconds: a container that has used its CPU quota waits up to 100 ms. */
const MIN_BLAME_MS = 100;
/** A peer that has not answered for this share of the time counts as equally slow. */
const WAITING_PART = 0.5;

/** The latencies of other engines for the same model. */
export type Peers = 'FASTER' | 'AS_SLOW' | 'UNKNOWN';

/** Whether an engine usually answers within `ms`, and has not kept another request waiting for a good part of that. */
export function answersWithin(
  times: AnswerTimes,
  { ms, inFlight, bytes }: { readonly ms: number; readonly inFlight: number; readonly bytes: number },
  nowMs: number,
): boolean {
  return times.isKnown && !isWaiting(times, ms, nowMs) && times.latencyQuantileMs(inFlight, bytes) <= ms;
}

/** Compares with a request that had no answer for `elapsedMs`. */
export function comparePeers(peers: Iterable<AnswerTimes>, elapsedMs: number, bytes: number, nowMs: number): Peers {
  let isAnySlow = false;
  for (const times of peers) {
    if (isWaiting(times, elapsedMs, nowMs) || (times.isKnown && times.latencyQuantileMs(1, bytes) > elapsedMs))
      isAnySlow = true;
    else if (times.lastAnswerMs > -Infinity) return 'FASTER';
  }
  return isAnySlow ? 'AS_SLOW' : 'UNKNOWN';
}

/**
 * Whether a time-out counts against the engine. `usualMs`: upper bound of its own latencies. `wasAttempt`: the limit of
 * the attempt was reached, not the caller's.
 */
export function isToBlame(elapsedMs: number, latencyQuantileMs: number, wasAttempt: boolean, peers: Peers): boolean {
  if (elapsedMs < MIN_BLAME_MS) return false;
  return peers === 'UNKNOWN' ? wasAttempt : peers === 'FASTER' && elapsedMs >= latencyQuantileMs;
}

/** Whether requests have waited for its next answer for a good part of `elapsedMs`. */
export function isWaiting({ waitingSinceMs }: AnswerTimes, elapsedMs: number, nowMs: number): boolean {
  return nowMs - waitingSinceMs >= WAITING_PART * elapsedMs;
}
