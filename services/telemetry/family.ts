// What a metric is, in Prometheus's terms.
import type { LatencyHistogram, LatencySummary } from './latency.ts';
import type { Exemplar } from './metrics-snapshot.ts';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

export interface HistogramSample {
  readonly labels: Labels;
  readonly histogram: LatencyHistogram;
  readonly exemplars: readonly (Exemplar | undefined)[];
}

interface SummarySample {
  readonly labels: Labels;
  readonly latency: LatencySummary;
}

interface Named {
  /** Of counters with `_total`. */
  readonly name: string;
  readonly help: string;
}

export type Family = Named &
  (
    | { readonly type: 'counter' | 'gauge'; readonly samples: readonly Sample[] }
    | { readonly type: 'histogram'; readonly samples: readonly HistogramSample[] }
    | { readonly type: 'summary'; readonly samples: readonly SummarySample[] }
  );
