// The router's figures of the last hour, so that a newly opened page can show them. Every two seconds, a point stores
// the counts since the previous point. If that would take more than `maxBytes`, the period is shorter.
import { LATENCY_BUCKETS, bucketStartMs } from '../telemetry/latency.ts';
import type { Reading } from '../telemetry/meter.ts';
import { type InputCounts, inputCounts } from './input-counts.ts';

export const INTERVAL_MS = 2_000;
export const KEPT_MS = 3_600_000;
const MAX_BYTES = 4 * 1_048_576;
/** Maximum points of one chart. */
const MAX_CHART_POINTS = 180;
/** Memory of an empty point, and of each latency bucket and engine in it, bytes. */
const BASE_BYTES = 256;
const PAIR_BYTES = 32;

/** Counts within a period. */
export interface Period {
  readonly seconds: number;
  /** Inputs, including failed ones. */
  readonly inputs: number;
  readonly errors: number;
  /** Inputs with a cache look-up, and those with a hit. */
  readonly lookups: number;
  readonly hits: number;
  /** Latencies of answered inputs, milliseconds. Undefined: none was answered. */
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  readonly p99Ms: number | undefined;
  /** Counts per latency bucket (LATENCY_BUCKETS). */
  readonly buckets: readonly number[];
  /** Answers, by engine id. */
  readonly engines: Readonly<Record<string, number>>;
}

/** Lists of equal length, oldest first. */
interface Chart {
  /** Interval between points, seconds. */
  readonly stepS: number;
  /** End of each point, milliseconds since 1970. */
  readonly timeMs: readonly number[];
  readonly inputsPerS: readonly number[];
  readonly errorsPerS: readonly number[];
  readonly p50Ms: readonly (number | null)[];
  readonly p95Ms: readonly (number | null)[];
  readonly p99Ms: readonly (number | null)[];
}

interface Point {
  readonly timeMs: number;
  readonly upMs: number;
  readonly seconds: number;
  readonly inputs: number;
  readonly errors: number;
  readonly lookups: number;
  readonly hits: number;
  /** Bucket, count, bucket, count, … */
  readonly latencies: readonly number[];
  readonly engines: readonly (readonly [id: string, answers: number])[];
  readonly bytes: number;
}

interface Counted extends InputCounts {
  readonly timeMs: number;
  readonly upMs: number;
  readonly sinceMs: number;
  readonly lookups: number;
  readonly hits: number;
  readonly engines: ReadonlyMap<string, number>;
}

export class History {
  readonly #read: () => Reading;
  readonly #maxBytes: number;
  #points: Point[] = [];
  #bytes = 0;
  #last: Counted | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(read: () => Reading, maxBytes = MAX_BYTES) {
    this.#read = read;
    this.#maxBytes = maxBytes;
  }

  get size(): { readonly points: number; readonly bytes: number } {
    return { points: this.#points.length, bytes: this.#bytes };
  }

  start(): void {
    this.look();
    this.#timer = setInterval(() => this.look(), INTERVAL_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Adds a point; a timer calls this every two seconds. The first call only stores the counts. */
  look(): void {
    const now = toCounted(this.#read());
    if (this.#last !== undefined && now.upMs > this.#last.upMs) this.#add(toPoint(now, this.#last));
    this.#last = now;
  }

  /** Counts of the last `seconds`, or since the first point. */
  last(seconds: number): Period {
    const fromMs = (this.#last?.upMs ?? 0) - seconds * 1_000;
    return toPeriod(this.#points.slice(this.#firstAfter(fromMs)));
  }

  /** The last `seconds` as lines of a chart. Points keep their time as the window moves. */
  chart(seconds: number): Chart {
    const endMs = this.#last?.upMs ?? 0;
    const fromMs = Math.max(endMs - seconds * 1_000, (this.#points[0]?.upMs ?? 0) - INTERVAL_MS);
    const stepMs = Math.ceil((endMs - fromMs) / MAX_CHART_POINTS / INTERVAL_MS) * INTERVAL_MS;
    const stepOf = ({ upMs }: Point): number => Math.ceil(upMs / stepMs);
    const groups = Map.groupBy(this.#points.slice(this.#firstAfter(fromMs)), stepOf);
    const rows = [...groups.values()].map((points) => ({ timeMs: points.at(-1)!.timeMs, ...toPeriod(points) }));
    const column = <T>(read: (row: (typeof rows)[number]) => T): T[] => rows.map(read);
    return {
      stepS: stepMs / 1_000,
      timeMs: column(({ timeMs }) => timeMs),
      inputsPerS: column(({ inputs, seconds: each }) => inputs / each),
      errorsPerS: column(({ errors, seconds: each }) => errors / each),
      p50Ms: column(({ p50Ms }) => p50Ms ?? null),
      p95Ms: column(({ p95Ms }) => p95Ms ?? null),
      p99Ms: column(({ p99Ms }) => p99Ms ?? null),
    };
  }

  /** The points that start at `upMs` or later. Half an interval is tolerated, since timers are late. */
  #firstAfter(upMs: number): number {
    const index = this.#points.findIndex((point) => point.upMs > upMs + INTERVAL_MS / 2);
    return index < 0 ? this.#points.length : index;
  }

  #add(point: Point): void {
    this.#points.push(point);
    this.#bytes += point.bytes;
    let dropped = 0;
    for (const { upMs, bytes } of this.#points) {
      if (upMs > point.upMs - KEPT_MS && this.#bytes <= this.#maxBytes) break;
      this.#bytes -= bytes;
      dropped += 1;
    }
    if (dropped > 0) this.#points = this.#points.slice(dropped);
  }
}

function toCounted({ timeMs, upMs, counts }: Reading): Counted {
  const { HIT, COALESCED, STALE, MISS } = counts.cache;
  const hits = HIT + COALESCED + STALE;
  const engines = new Map([...counts.engines].map(([id, { succeeded }]) => [id, succeeded]));
  return { timeMs, upMs, sinceMs: counts.sinceMs, ...inputCounts(counts), hits, lookups: hits + MISS, engines };
}

/** If the counters were reset in between, the whole count is new. */
function toPoint(now: Counted, last: Counted): Point {
  const before = now.sinceMs === last.sinceMs ? last : undefined;
  const added = (read: (counted: Counted) => number): number => read(now) - (before === undefined ? 0 : read(before));
  const latencies: number[] = [];
  now.buckets.forEach((count, bucket) => {
    const more = count - (before?.buckets[bucket] ?? 0);
    if (more > 0) latencies.push(bucket, more);
  });
  const engines = [...now.engines].flatMap(([id, answers]): Point['engines'] => {
    const known = before?.engines.get(id) ?? 0;
    const more = answers < known ? answers : answers - known; // an engine of this name was removed and added again
    return more > 0 ? [[id, more]] : [];
  });
  return {
    ...{ timeMs: now.timeMs, upMs: now.upMs, seconds: (now.upMs - last.upMs) / 1_000, latencies, engines },
    inputs: added(({ count }) => count),
    errors: added(({ errors }) => errors),
    lookups: added(({ lookups }) => lookups),
    hits: added(({ hits }) => hits),
    bytes: BASE_BYTES + (latencies.length / 2 + engines.length) * PAIR_BYTES,
  };
}

function toPeriod(points: readonly Point[]): Period {
  const sum = (read: (point: Point) => number): number => points.reduce((total, point) => total + read(point), 0);
  const buckets = Array<number>(LATENCY_BUCKETS).fill(0);
  const engines: Record<string, number> = Object.create(null) as Record<string, number>;
  for (const { latencies, engines: answered } of points) {
    for (let at = 0; at < latencies.length; at += 2) buckets[latencies[at]!]! += latencies[at + 1]!;
    for (const [id, answers] of answered) engines[id] = (engines[id] ?? 0) + answers;
  }
  const [p50Ms, p95Ms, p99Ms] = [50, 95, 99].map((percent) => percentileMs(buckets, percent));
  return {
    seconds: sum(({ seconds }) => seconds),
    inputs: sum(({ inputs }) => inputs),
    errors: sum(({ errors }) => errors),
    lookups: sum(({ lookups }) => lookups),
    hits: sum(({ hits }) => hits),
    ...{ p50Ms, p95Ms, p99Ms, buckets, engines },
  };
}

/** The percentile, interpolated within a bucket. Undefined if there are no counts. */
export function percentileMs(buckets: readonly number[], percent: number): number | undefined {
  const all = buckets.reduce((sum, count) => sum + count, 0);
  let rest = (percent / 100) * all;
  for (const [bucket, count] of buckets.entries()) {
    if (count > 0 && rest <= count) {
      const fromMs = bucketStartMs(bucket);
      return fromMs + (rest / count) * (bucketStartMs(bucket + 1) - fromMs);
    }
    rest -= count;
  }
  return undefined;
}
