// Options of the request path: settings, and the parts that count and limit. The settings may change while it runs.
import type { VoteSettings } from '../config/vote.ts';
import type { StrategyName } from '../strategies/registry.ts';
import type { Admission } from './admission.ts';
import type { AttemptOptions } from './attempt.ts';
import type { Audit } from './audit.ts';
import type { CpuOverload } from './cpu-overload.ts';
import type { LatencyQuantile } from './latency-quantile.ts';

export interface RouterOptions extends Omit<AttemptOptions, 'pool' | 'lateAttempts'> {
  /** Strategy of requests that name none. */
  readonly strategy: StrategyName;
  readonly localFirstShare: number;
  readonly sidecarFirstShare: number;
  /** Vote policy if neither model nor request changes it. */
  readonly vote: VoteSettings;
  /** Latency percentile after which HEDGED asks a second engine. */
  readonly latencyQuantile: LatencyQuantile;
  readonly audit: Audit;
  readonly admission: Admission;
  readonly overload: Pick<CpuOverload, 'refusal' | 'recordEnd'>;
  /** Maximum requests in flight; further ones get ROUTER_FULL. */
  readonly maxInFlight: number;
  /** A new engine gets its share gradually over this time, milliseconds; 0 or unset: at once. */
  readonly slowStartMs?: number;
  /** Engines required for readiness; 0 or unset: as many as the vote needs, else one. */
  readonly minEngines?: number;
}

/** The options as a request reads them. */
export type RouteOptions = RouterOptions & AttemptOptions;
