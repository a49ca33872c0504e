// A distribution of latencies with constant memory.
//
// It counts twice, for two purposes. Percentiles come from buckets whose width is 1/128 of their value, so they are
// within 0.8 % of the exact ones. A Prometheus histogram needs few buckets with exact, constant bounds, which are
// counted separately. A record costs about 0.1 µs, half of Node's own histogram, which can neither be read by bucket
// nor be saved and restored.

const NS_PER_MS = 1e6;
const LOWEST_NS = 1;
const HIGHEST_NS = 3.6e12; // 1 h; longer ones count as that

/** Upper bounds of the Prometheus buckets, seconds; the last one, +Inf, is not listed. Fixed: recorded data uses them. */
export const BOUNDS_S: readonly number[] = [
  ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05],
  ...[0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
];
/** Buckets of the dashboard: a quarter of an octave each. */
export const LATENCY_BUCKETS = 168;
const BOUNDS_NS = BOUNDS_S.map((seconds) => Math.round(seconds * 1e9));

/** All 0 while `count` is 0. */
export interface LatencySummary {
  readonly count: number;
  readonly avgMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export const NO_LATENCY: LatencySummary = { count: 0, avgMs: 0, minMs: 0, maxMs: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0 };

/** For Prometheus. */
export interface LatencyHistogram {
  /** Counts of each of BOUNDS_S and +Inf; not cumulative. */
  readonly buckets: readonly number[];
  readonly count: number;
  readonly sumS: number;
}

export const NO_HISTOGRAM: LatencyHistogram = { buckets: Array(BOUNDS_S.length + 1).fill(0), count: 0, sumS: 0 };

/** The form for a file. */
export interface SavedLatencies {
  readonly sumNs: number;
  readonly minNs: number;
  readonly maxNs: number;
  readonly buckets: readonly number[];
  /** Non-empty fine buckets: index, count, index, count, … */
  readonly fine: readonly number[];
}

// A fine bucket is the exponent and the first 7 bits of the mantissa of the nanoseconds in binary64.
const MANTISSA_BITS = 7;
const SHIFT = 20 - MANTISSA_BITS;
const FIRST = 1_023 << MANTISSA_BITS;
const float = new Float64Array(1);
const word = new Uint32Array(float.buffer); // little-endian, as every machine that Node runs on
const FINE = fineBucket(HIGHEST_NS) + 1;

export class Latencies {
  readonly #fine = new Float64Array(FINE);
  readonly #buckets = new Float64Array(BOUNDS_NS.length + 1);
  #count = 0;
  #sumNs = 0;
  #minNs = Infinity;
  #maxNs = 0;

  record(durationMs: number): void {
    const ns = toNs(durationMs);
    this.#fine[fineBucket(ns)]! += 1;
    this.#buckets[bucketOfNs(ns)]! += 1;
    this.#count += 1;
    this.#sumNs += ns;
    if (ns < this.#minNs) this.#minNs = ns;
    if (ns > this.#maxNs) this.#maxNs = ns;
  }

  summary(): LatencySummary {
    if (this.#count === 0) return NO_LATENCY;
    const [p50Ms = 0, p95Ms = 0, p99Ms = 0] = this.#percentilesMs([50, 95, 99]);
    return {
      count: this.#count,
      avgMs: this.#sumNs / this.#count / NS_PER_MS,
      minMs: this.#minNs / NS_PER_MS,
      maxMs: this.#maxNs / NS_PER_MS,
      ...{ p50Ms, p95Ms, p99Ms },
    };
  }

  /** Counts of each of LATENCY_BUCKETS. */
  buckets(): readonly number[] {
    const counts = Array<number>(LATENCY_BUCKETS).fill(0);
    this.#fine.forEach((count, index) => (counts[index >> (MANTISSA_BITS - 2)]! += count));
    return counts;
  }

  histogram(): LatencyHistogram {
    return { buckets: [...this.#buckets], count: this.#count, sumS: this.#sumNs / 1e9 };
  }

  save(): SavedLatencies {
    const fine: number[] = [];
    this.#fine.forEach((count, index) => {
      if (count > 0) fine.push(index, count);
    });
    const { sumNs, minNs, maxNs } = { sumNs: this.#sumNs, minNs: this.#minNs, maxNs: this.#maxNs };
    return { sumNs, minNs: this.#count === 0 ? 0 : minNs, maxNs, buckets: [...this.#buckets], fine };
  }

  /** Adds saved counts. Throws if they are inconsistent. */
  restore({ sumNs, minNs, maxNs, buckets, fine }: SavedLatencies): void {
    const counts = fine.filter((_, index) => index % 2 === 1);
    const indices = fine.filter((_, index) => index % 2 === 0);
    const count = sum(counts);
    const isSound =
      fine.length % 2 === 0 &&
      indices.every((index) => index < FINE) &&
      buckets.length === this.#buckets.length &&
      sum(buckets) === count;
    if (!isSound) throw new Error('the latencies contradict themselves');
    if (count === 0) return;
    indices.forEach((index, k) => (this.#fine[index]! += counts[k]!));
    buckets.forEach((more, index) => (this.#buckets[index]! += more));
    this.#count += count;
    this.#sumNs += sumNs;
    this.#minNs = Math.min(this.#minNs, minNs);
    this.#maxNs = Math.max(this.#maxNs, maxNs);
  }

  /** The values at the nearest ranks, ⌈p/100 × count⌉. `percents` ascend. */
  #percentilesMs(percents: readonly number[]): number[] {
    const fine = this.#fine;
    let index = fineBucket(this.#minNs) - 1; // nothing is below
    let below = 0;
    return percents.map((percent) => {
      const rank = Math.ceil((percent / 100) * this.#count);
      while (below < rank) {
        index += 1;
        below += fine[index]!;
      }
      return Math.min(Math.max(middleNs(index), this.#minNs), this.#maxNs) / NS_PER_MS;
    });
  }
}

/** Start of bucket `index` of LATENCY_BUCKETS, milliseconds. */
export function bucketStartMs(index: number): number {
  return (2 ** Math.floor(index / 4) * (1 + (index % 4) / 4)) / NS_PER_MS;
}

/** Index in BOUNDS_S of a duration; their number if it is above all. */
export function bucketOf(durationMs: number): number {
  return bucketOfNs(toNs(durationMs));
}

/** A bound belongs to the bucket that it closes. */
function bucketOfNs(ns: number): number {
  let index = 0;
  while (index < BOUNDS_NS.length && ns > BOUNDS_NS[index]!) index += 1;
  return index;
}

function fineBucket(ns: number): number {
  float[0] = ns;
  return (word[1]! >>> SHIFT) - FIRST;
}

function middleNs(bucket: number): number {
  word[0] = 0;
  word[1] = (bucket + FIRST) << SHIFT;
  const [from] = float;
  word[1] = (bucket + 1 + FIRST) << SHIFT;
  return (from! + float[0]!) / 2;
}

/** Only integers within the range. */
function toNs(durationMs: number): number {
  const ns = Math.round(durationMs * NS_PER_MS);
  if (!(ns > LOWEST_NS)) return LOWEST_NS; // also if it is not a number
  return ns < HIGHEST_NS ? ns : HIGHEST_NS;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
