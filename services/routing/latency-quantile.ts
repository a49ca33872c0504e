// The live latency quantile of each model: what "longer than most" means for a hedge.

/** Answers remembered for each model. */
const WINDOW = 256;
/** Sorting is dear: the quantile is taken anew after so many answers. */
const REFRESH_EVERY = 32;
/** Fewer say nothing about a tail. */
const MIN_SAMPLES = 20;
/** Models remembered; whoever has more versions in use at once learns anew now and then. */
const MAX_MODELS = 256;

interface Samples {
  readonly ring: Float64Array;
  count: number;
  quantileMs: number | undefined;
}

export class LatencyQuantile {
  #quantile: number;
  readonly #models = new Map<string, Samples>();

  /** `percentile`: 0 to 100. */
  constructor(percentile: number) {
    this.#quantile = percentile / 100;
  }

  /** What was remembered counts; the new quantile of it is taken with the next answers. */
  configure(percentile: number): void {
    this.#quantile = percentile / 100;
  }

  record(model: string, latencyMs: number): void {
    const samples = this.#models.get(model) ?? this.#add(model);
    samples.ring[samples.count % WINDOW] = latencyMs;
    samples.count += 1;
    const isDue =
      samples.count >= MIN_SAMPLES && (samples.quantileMs === undefined || samples.count % REFRESH_EVERY === 0);
    if (isDue) samples.quantileMs = nearestRank(samples.ring.slice(0, Math.min(samples.count, WINDOW)), this.#quantile);
  }

  /** Undefined until enough answers have come. */
  ofModel(model: string): number | undefined {
    return this.#models.get(model)?.quantileMs;
  }

  #add(model: string): Samples {
    if (this.#models.size >= MAX_MODELS) this.#models.clear();
    const samples = { ring: new Float64Array(WINDOW), count: 0, quantileMs: undefined };
    this.#models.set(model, samples);
    return samples;
  }
}

function nearestRank(values: Float64Array, quantile: number): number {
  values.sort();
  return values[Math.max(0, Math.ceil(quantile * values.length) - 1)] ?? 0;
}
