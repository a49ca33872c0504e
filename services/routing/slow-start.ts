// An engine that has just come, or come back, is cold: pages, caches and connections want filling. It gets its share of
// the requests little by little.
import { type StrategyName, VOTING } from '../strategies/registry.ts';
import { rotate } from '../strategies/strategy.ts';

/** What it is put first with right after its return. */
const LEAST_SHARE = 0.1;

/**
 * Strategies that do without: FASTEST and HEDGED go by what is measured, and a cold engine's first answers tell more than
 * its age does; AFFINITY owes equal questions the same engine; who votes needs every voter there is.
 */
const EXEMPT: ReadonlySet<StrategyName> = new Set<StrategyName>(['FASTEST', 'HEDGED', 'AFFINITY', ...VOTING]);

export interface SlowStart {
  readonly strategy: StrategyName;
  /** Setting `slow_start_ms`; 0: off. */
  readonly slowStartMs: number;
  readonly nowMs: number;
  /** Requests under way, this one included. */
  readonly inFlight: number;
  /** Uniform, 0 ≤ r < 1. */
  readonly random: () => number;
}

/**
 * `plan`, but an engine that is new leads it only with a probability that rises in a straight line from 10 % to 100 %
 * while `slowStartMs` pass; else it stands last, and the next one leads. Where no engine passes its draw, `plan` as it is.
 *
 * While there are no more requests under way than engines, new engines take their full share: one request at a time harms
 * no engine, and warms it.
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
