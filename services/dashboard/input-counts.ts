// Counts of inputs: a batch or a stream counts by its items. Other calls, such as Ping, are left out, since they would
// distort latencies.
import { LATENCY_BUCKETS } from '../telemetry/latency.ts';
import type { MetricsSnapshot } from '../telemetry/metrics-snapshot.ts';

/** Request types that are one input each. */
const ONE_INPUT = new Set(['Reason', 'ReasonBatch.item', 'ReasonStream.item', 'ModelInfer.item', 'Dashboard.Reason']);

export interface InputCounts {
  /** Answered and failed. */
  readonly count: number;
  readonly errors: number;
  /** Answered inputs by latency bucket (LATENCY_BUCKETS). */
  readonly buckets: readonly number[];
}

export function inputCounts({ requestTypes }: MetricsSnapshot): InputCounts {
  const types = requestTypes.filter(({ type }) => ONE_INPUT.has(type));
  const buckets = Array<number>(LATENCY_BUCKETS).fill(0);
  for (const type of types) type.buckets.forEach((count, at) => (buckets[at]! += count));
  return {
    count: types.reduce((sum, { count }) => sum + count, 0),
    errors: types.reduce((sum, { errors }) => sum + errors, 0),
    buckets,
  };
}
