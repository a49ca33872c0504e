// What the path goes by: settings, and the parts that count and limit. All but the parts may change while it runs.
import type { VoteSettings } from '../config/vote.ts';
import type { StrategyName } from '../strategies/registry.ts';
import type { Admission } from './admission.ts';
import type { AttemptOptions } from './attempt.ts';
import type { Audit } from './audit.ts';
import type { LatencyQuantile } from './latency-quantile.ts';

export interface RouterOptions extends Omit<AttemptOptions, 'pool'> {
  /** Of requests that name none. */
  readonly strategy: StrategyName;
  readonly localFirstShare: number;
  readonly sidecarFirstShare: number;
  /** Of votes, where neither model nor request say otherwise. */
  readonly vote: VoteSettings;
  /** Of answers; HEDGED asks a second engine after so long. */
  readonly latencyQuantile: LatencyQuantile;
  readonly audit: Audit;
  readonly admission: Admission;
  /** Requests under way at once before ROUTER_FULL. */
  readonly maxInFlight: number;
  /** An engine that has come later gets its share over so long, milliseconds; 0, or unset: at once. */
  readonly slowStartMs?: number;
  /** Without so many engines the router is not ready; 0, or unset: as many as the vote needs, else one. */
  readonly minEngines?: number;
}

/** As a request sees them. */
export type RouteOptions = RouterOptions & AttemptOptions;
