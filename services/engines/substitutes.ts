// Make before break: selects the unlisted engines that stay because no engine serves at some listed addresses.
import type { PooledEngine } from './pooled-engine.ts';

/** An engine found at an address of the name. */
export interface FoundEngine {
  readonly pooled: PooledEngine;
  /** Consecutive answers that lacked its address; 0: it is listed. */
  readonly misses: number;
  /** By performance.now(); -Infinity: it was never up. */
  readonly lastUpMs: number;
}

/** An unlisted engine that is down may return within this time if no other engine replaces it. */
const KEPT_DOWN_MS = 30_000;

/** The unlisted engines that stay: at most `count`, usable ones first. */
export function substitutes<Engine extends FoundEngine>(missing: readonly Engine[], count: number): Engine[] {
  const nowMs = performance.now();
  return missing
    .filter((engine) => isUp(engine) || nowMs - engine.lastUpMs < KEPT_DOWN_MS)
    .sort((a, b) => rank(a) - rank(b) || a.misses - b.misses)
    .slice(0, count);
}

export function isUp({ pooled }: Pick<FoundEngine, 'pooled'>): boolean {
  return pooled.engine.description !== undefined;
}

/** A half-open breaker still waits for an answer. */
export function isServing({ state, breaker }: PooledEngine): boolean {
  return state === 'READY' && breaker.state === 'CLOSED';
}

function rank(engine: FoundEngine): number {
  if (isServing(engine.pooled)) return 0;
  return isUp(engine) ? 1 : 2;
}
