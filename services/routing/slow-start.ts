// Slow start: a new or returning engine has cold pages, caches and connections, so it gets its share of requests
// gradually.
import { type StrategyName, VOTING } from '../strategies/registry.ts';
import { rotate } from '../strategies/strategy.ts';

/** Initial probability of being first. */
const LEAST_SHARE = 0.1;

/**
 * Strategies without slow start: FASTEST and HEDGED use measured latencies, which say more than the engine's age;
 * AFFINITY must send equal questions to the same engine; a vote needs every engine.
 */
const EXEMPT: ReadonlySet<StrategyName> = new Set<StrategyName>(['FASTEST', 'HEDGED', 'AFFINITY', ...VOTING]);

export interface SlowStart {
  readonly strategy: StrategyName;
  /** Setting `slow_start_ms`; 0: off. */
  readonly slowStartMs: number;
  readonly nowMs: number;
  /** Requests in flight, including this one. */
  readonly inFlight: number;
  /** Uniform, 0 ≤ r < 1. */
  readonly random: () => number;
}

/**
 * Returns `plan`, but a new engine is first only with a probability that rises linearly from 10 % to 100 % during
 * `slowStartMs`; otherwise it is moved to the end, and the next one is first. If no engine passes its draw, returns
 * `plan` unchanged.
 *
 * While there are not more requests in flight than engines, new engines get their full share: one request at a time
 * harms no engine and warms it up.
 */
export function applySlowStart<E extends { readonly readySinceMs: number }>(
  plan: readonly E[],
  options: SlowStart,
): readonly E[] {
  const { strategy, slowStartMs, nowMs, inFlight, random } = options;
  if (slowStartMs === 0 || inFlight <= plan.length || EXEMPT.has(strategy)) return plan;
  const leads = ({ readySinceMs }: E): boolean => {
    const passed = (nowMs - readySinceMs) / slowStartMs;
    return passed >= 1 || random() < LEAST_SHARE + (1 - LEAST_SHARE) * passed;
  };
  return rotate(plan, Math.max(0, plan.findIndex(leads)));
}
