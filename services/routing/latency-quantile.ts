// The live latency quantile of each model, which defines "longer than most" for a hedge.

/** Number of stored latencies for each model. */
const WINDOW = 256;
/** Sorting is slow: the quantile is recomputed after this many answers, and only when needed. */
const REFRESH_EVERY = 32;
/** With fewer answers, the tail is unknown. */
const MIN_SAMPLES = 20;
/** Maximum model versions; if more are in use, all are reset from time to time. */
const MAX_MODELS = 256;

interface Samples {
  readonly ring: Float64Array;
  count: number;
  quantileMs: number | undefined;
  /** The answer count at which it was computed. */
  takenAt: number;
}

export class LatencyQuantile {
  #quantile: number;
  readonly #models = new Map<string, Samples>();

  /** `percentile`: 0 to 100. */
  constructor(percentile: number) {
    this.#quantile = percentile / 100;
  }

  /** Stored latencies stay; the new quantile is computed with the next answers. */
  configure(percentile: number): void {
    this.#quantile = percentile / 100;
  }

  record(model: string, latencyMs: number): void {
    const samples = this.#models.get(model) ?? this.#add(model);
    samples.ring[samples.count % WINDOW] = latencyMs;
    samples.count += 1;
  }

  /** Undefined until there are enough answers. */
  ofModel(model: string): number | undefined {
    const samples = this.#models.get(model);
    if (samples === undefined || samples.count < MIN_SAMPLES) return undefined;
    if (samples.quantileMs === undefined || samples.count - samples.takenAt >= REFRESH_EVERY) {
      samples.quantileMs = nearestRank(samples.ring.slice(0, Math.min(samples.count, WINDOW)), this.#quantile);
      samples.takenAt = samples.count;
    }
    return samples.quantileMs;
  }

  #add(model: string): Samples {
    if (this.#models.size >= MAX_MODELS) this.#models.clear();
    const samples = { ring: new Float64Array(WINDOW), count: 0, quantileMs: undefined, takenAt: 0 };
    this.#models.set(model, samples);
    return samples;
  }
}

function nearestRank(values: Float64Array, quantile: number): number {
  values.sort();
  return values[Math.max(0, Math.ceil(quantile * values.length) - 1)] ?? 0;
}
