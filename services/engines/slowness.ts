// Whether an engine is to blame for a time-out, or for its silence: the other engines that hold the model tell. Where they
// are as slow, the load or the model is the reason, and no engine is to blame.
import type { AnswerTimes } from './answer-times.ts';

/** A healthy engine may pause for up to this long, milliseconds: a container whose CPU quota is used up waits 100 ms at most. */
const MIN_BLAME_MS = 100;
/** A peer that has not answered for this part of the time is as slow itself. */
const WAITING_PART = 0.5;

/** How other engines answer the same model. */
export type Peers = 'FASTER' | 'AS_SLOW' | 'UNKNOWN';

/** Compares with `elapsedMs` without an answer. */
export function comparePeers(peers: Iterable<AnswerTimes>, elapsedMs: number, bytes: number, nowMs: number): Peers {
  let isAnySlow = false;
  for (const times of peers) {
    const isWaiting = nowMs - times.waitingSinceMs >= WAITING_PART * elapsedMs;
    if (isWaiting || (times.isKnown && times.latencyQuantileMs(1, bytes) > elapsedMs)) isAnySlow = true;
    else if (times.lastAnswerMs > -Infinity) return 'FASTER';
  }
  return isAnySlow ? 'AS_SLOW' : 'UNKNOWN';
}

/**
 * Whether a time-out counts against the engine. `usualMs`: what its own answers take at most. `wasAttempt`: the time of one
 * attempt ran out, not the caller's.
 */
export function isToBlame(elapsedMs: number, latencyQuantileMs: number, wasAttempt: boolean, peers: Peers): boolean {
  if (elapsedMs < MIN_BLAME_MS) return false;
  return peers === 'UNKNOWN' ? wasAttempt : peers === 'FASTER' && elapsedMs >= latencyQuantileMs;
}
