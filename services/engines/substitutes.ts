// Make before break: which engines that a name no longer lists stay, because nothing serves at addresses that it lists.
import type { PooledEngine } from './pooled-engine.ts';

/** An engine that was found at an address of the name. */
export interface FoundEngine {
  readonly pooled: PooledEngine;
  /** Answers in a row that lacked its address; 0: it is listed. */
  readonly misses: number;
  /** On performance.now()'s clock; -Infinity: it was never up. */
  readonly lastUpMs: number;
}

/** An engine that is no longer listed and is down may come back within this time, if nothing takes its place. */
const KEPT_DOWN_MS = 30_000;

/** Of engines that are no longer listed, those that stay: at most `count`, and those that can be asked now first. */
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
