// Latencies as a distribution, in Node's own HDR histogram: constant memory, whatever is recorded and however often.
//
// Two significant figures put a value into a bucket at most 1/128 of it wide, so a percentile is within 0.8 % of the
// exact one. A record costs about 0.05 µs, so values go straight in: a buffer before it would gain nothing.
import { createHistogram } from 'node:perf_hooks';

const NS_PER_MS = 1e6;
const LOWEST_NS = 1;
const HIGHEST_NS = 3.6e12; // 1 h; longer ones count as that
const FIGURES = 2;

/** A bucket holds a quarter of an octave: from 2^⌊i/4⌋ × (1 + (i mod 4)/4) nanoseconds up to where the next one begins. */
export const LATENCY_BUCKETS = 168;
const float = new Float64Array(1);
const words = new Uint32Array(float.buffer); // little-endian, as every machine that Node runs on

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

export class Latencies {
  readonly #histogram = createHistogram({ lowest: LOWEST_NS, highest: HIGHEST_NS, figures: FIGURES });
  // Beside the histogram, which cannot be read bucket by bucket …
  readonly #buckets = new Float64Array(LATENCY_BUCKETS);
  // … and would round these to its buckets too.
  #count = 0;
  #sumNs = 0;
  #minNs = Infinity;
  #maxNs = 0;

  record(durationMs: number): void {
    const ns = toNs(durationMs);
    this.#histogram.record(ns);
    this.#buckets[bucketOf(ns)]! += 1;
    this.#count += 1;
    this.#sumNs += ns;
    if (ns < this.#minNs) this.#minNs = ns;
    if (ns > this.#maxNs) this.#maxNs = ns;
  }

  summary(): LatencySummary {
    if (this.#count === 0) return NO_LATENCY;
    return {
      count: this.#count,
      avgMs: this.#sumNs / this.#count / NS_PER_MS,
      minMs: this.#minNs / NS_PER_MS,
      maxMs: this.#maxNs / NS_PER_MS,
      p50Ms: this.#percentileMs(50),
      p95Ms: this.#percentileMs(95),
      p99Ms: this.#percentileMs(99),
    };
  }

  /** How many are in each of LATENCY_BUCKETS. */
  buckets(): readonly number[] {
    return [...this.#buckets];
  }

  /** The value at the nearest rank, ⌈p/100 × count⌉: asked for in the rank's middle, since the histogram rounds ranks. */
  #percentileMs(percent: number): number {
    const rank = Math.ceil((percent / 100) * this.#count);
    const ns = this.#histogram.percentile(((rank - 0.25) / this.#count) * 100);
    return Math.min(ns, this.#maxNs) / NS_PER_MS; // a bucket may end above the greatest value in it
  }
}

/** The histogram takes integers within its range only, and throws at others. */
function toNs(durationMs: number): number {
  const ns = Math.round(durationMs * NS_PER_MS);
  if (!(ns > LOWEST_NS)) return LOWEST_NS; // also where it is not a number
  return ns < HIGHEST_NS ? ns : HIGHEST_NS;
}

/** Exponent and first two bits of the mantissa, as binary64 has them. */
function bucketOf(ns: number): number {
  float[0] = ns;
  return (words[1]! >>> 18) - (1_023 << 2);
}
