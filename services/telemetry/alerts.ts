// The alerts of deploy/prometheus/tandem.rules.yml, raised by the router itself, so an operator without Prometheus gets
// the same alerts. A test checks that names, thresholds and times of both are equal.
//
// A rule uses the counts of a window. An alert is raised after the condition held for `forMs`, and ends after it did
// not hold for `forMs`, so a value near its threshold raises a single alert.
import { withoutTimes } from '../core/cause.ts';
import type { Lack } from '../core/errors.ts';
import { BOUNDS_S } from './latency.ts';
import type { Reading } from './meter.ts';
import { WHAT_IS_SHORT } from './shedding.ts';

export interface AlertOptions {
  /** Interval between checks, milliseconds. */
  readonly intervalMs: number;
  /** Window of rates, milliseconds. */
  readonly windowMs: number;
  readonly forMs: number;
  /** Values above these cause an alert. */
  readonly errorRatio: number;
  readonly p99Ms: number;
  readonly memoryBytes: number;
  /** A value below this share of the usual one causes an alert. */
  readonly cacheCollapse: number;
}

export interface Alert {
  readonly name: AlertName;
  readonly isFiring: boolean;
  /** The alert with its values, or its end. */
  readonly text: string;
}

/** An alert that is raised now. */
interface RaisedAlert {
  readonly name: AlertName;
  /** The text at the last check. */
  readonly text: string;
  /** Start, milliseconds since 1970. */
  readonly sinceMs: number;
}

/** The stored part of a reading. */
interface Look {
  readonly upMs: number;
  readonly requests: number;
  readonly errors: number;
  /** Histogram of all requests' latencies, not cumulative. */
  readonly buckets: readonly number[];
  readonly disputes: number;
  readonly hits: number;
  readonly lookups: number;
  readonly spansDropped: number;
  readonly linesDropped: number;
  readonly shed: Readonly<Record<Lack, number>>;
}

interface View {
  readonly reading: Reading;
  readonly options: AlertOptions;
  readonly memoryBytes: number;
  /** Counts within the window, and within the reference period. */
  readonly recent: Omit<Look, 'upMs'>;
  readonly usual: Omit<Look, 'upMs'>;
}

/** Returns the problem; undefined: none. */
type Rule = (view: View) => string | undefined;

/** Reference period of the hit ratio, milliseconds, as in the rules file. */
export const USUAL_MS = 3_600_000;
/** With fewer look-ups in the window, or a lower usual ratio, the ratio is ignored. */
export const MIN_LOOKUPS = 100;
export const MIN_USUAL_RATIO = 0.1;
/** Share of refused requests that is more than a burst, as in the rules file. */
export const MAX_SHED_RATIO = 0.01;
/** Maximum stored checks. */
const MAX_LOOKS = 1_024;

/** Outcomes caused by the caller, as in the rules file. */
export const CALLERS_CODES: readonly string[] = [
  ...['CANCELLED', 'INVALID_ARGUMENT', 'NOT_FOUND', 'ALREADY_EXISTS', 'PERMISSION_DENIED', 'OUT_OF_RANGE'],
];

export const ALERT_RULES = {
  TandemErrorRatioHigh: ({ recent: { errors, requests }, options }) =>
    requests > 0 && errors / requests > options.errorRatio
      ? `${percent(errors / requests)} of requests fail (${errors} of ${requests}), more than ${percent(options.errorRatio)}`
      : undefined,
  TandemLatencyHigh: ({ recent: { buckets }, options }) => {
    const p99Ms = quantileS(buckets, 0.99) * 1e3;
    return p99Ms > options.p99Ms
      ? `the p99 latency is ${p99Ms.toFixed(0)} ms, more than ${options.p99Ms} ms`
      : undefined;
  },
  TandemShedding: ({ recent: { shed, requests } }) => {
    const lacks = (Object.entries(shed) as [Lack, number][]).filter(([, times]) => times > 0);
    const ratio = sum(lacks.map(([, times]) => times)) / requests;
    return ratio > MAX_SHED_RATIO
      ? `${percent(ratio)} of requests are refused: ${lacks.map(([lack, times]) => `${times} because ${WHAT_IS_SHORT[lack]}`).join('; ')}`
      : undefined;
  },
  TandemBreakerOpen: ({ reading }) =>
    named(
      'the circuit breaker is open of',
      reading.standing.engines
        .filter(({ breaker }) => breaker.state !== 'CLOSED') // half-open from time to time
        .map(({ id, breaker }) => {
          const why = breaker.events?.findLast(({ state }) => state === 'OPEN')?.why ?? '';
          return { id: why === '' ? id : `${id} (${why})` };
        }),
    ),
  TandemEngineDown: ({ reading }) =>
    named(
      'engines that are not usable:',
      reading.standing.engines
        .filter(({ state }) => state === 'DOWN' || state === 'UNUSABLE')
        .filter(({ modelProblems }) => modelProblems.length === 0) // TandemModelMismatch names those
        .map(withWhy),
    ),
  TandemDiscoveryProblem: ({ reading: { standing } }) =>
    standing.names.length > 0
      ? `names of engines: ${standing.names.map(({ name, why }) => `${name}: ${why}`).join('; ')}`
      : undefined,
  TandemLogDropped: ({ recent: { linesDropped } }) =>
    linesDropped > 0 ? `${linesDropped} lines of the log were dropped: its reader is too slow, or gone` : undefined,
  TandemDispute: ({ recent: { disputes } }) =>
    disputes > 0 ? `engines contradicted each other, ${disputes} times` : undefined,
  TandemEngineQuarantined: ({ reading }) =>
    named(
      'quarantined for wrong answers:',
      reading.standing.engines.filter(({ state }) => state === 'QUARANTINED'),
    ),
  TandemModelMismatch: ({ reading }) =>
    named(
      'models that differ from the repository:',
      reading.standing.engines
        .filter(({ modelProblems }) => modelProblems.length > 0)
        .map(({ id, modelProblems }) => ({
          id: `${id} (${modelProblems.map(({ model, why }) => `${model}: ${why}`).join('; ')})`,
        })),
    ),
  TandemCacheHitRatioCollapsed: ({ recent, usual, options }) => {
    const [now, before] = [recent.hits / recent.lookups, usual.hits / usual.lookups];
    if (!(recent.lookups >= MIN_LOOKUPS && before > MIN_USUAL_RATIO)) return undefined;
    return now / before < options.cacheCollapse
      ? `the cache answers ${percent(now)} of requests, where ${percent(before)} is usual`
      : undefined;
  },
  TandemMemoryHigh: ({ memoryBytes, options }) =>
    memoryBytes > options.memoryBytes
      ? `the router takes ${mebibytes(memoryBytes)}, more than ${mebibytes(options.memoryBytes)}`
      : undefined,
  TandemNoEngineReady: ({ reading: { standing } }) =>
    standing.engines.every(({ state }) => state !== 'READY')
      ? `none of ${standing.engines.length} engines is ready; requests fail`
      : undefined,
  TandemSpansDropped: ({ recent: { spansDropped } }) =>
    spansDropped > 0 ? `${spansDropped} spans of traces were lost before they were exported` : undefined,
} as const satisfies Record<string, Rule>;

export type AlertName = keyof typeof ALERT_RULES;

interface RuleState {
  isFiring: boolean;
  /** The problem at the last check that found one. */
  text: string;
  /** When it was last raised, milliseconds since 1970. */
  sinceMs: number;
  /** Since when the condition differs from the state; undefined: it does not. */
  otherwiseSinceMs: number | undefined;
}

export class Alerts {
  readonly #read: () => Reading;
  #options: AlertOptions;
  readonly #onAlert: (alert: Alert) => void;
  readonly #memory: () => number;
  readonly #states = new Map<AlertName, RuleState>();
  #looks: Look[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(
    read: () => Reading,
    options: AlertOptions,
    onAlert: (alert: Alert) => void,
    memory: () => number = lastKnown(() => process.memoryUsage.rss()),
  ) {
    this.#read = read;
    this.#options = options;
    this.#onAlert = onAlert;
    this.#memory = memory;
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), this.#options.intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  configure(options: AlertOptions): void {
    this.#options = options;
    if (this.#timer === undefined) return;
    this.stop();
    this.start();
  }

  /** The raised alerts. */
  get raised(): readonly RaisedAlert[] {
    return [...this.#states].flatMap(([name, { isFiring, text, sinceMs }]) =>
      isFiring ? [{ name, text, sinceMs }] : [],
    );
  }

  /** Checks once; a timer calls this every `intervalMs`. */
  look(): void {
    const reading = this.#read();
    const now = toLook(reading);
    this.#keep(now);
    const view: View = {
      ...{ reading, options: this.#options, memoryBytes: this.#memory() },
      recent: since(now, this.#at(now.upMs - this.#options.windowMs)),
      usual: since(now, this.#at(now.upMs - USUAL_MS)),
    };
    for (const [name, rule] of Object.entries(ALERT_RULES) as [AlertName, Rule][]) {
      this.#judge(name, rule(view), reading);
    }
  }

  #judge(name: AlertName, wrong: string | undefined, { upMs: nowMs, timeMs }: Reading): void {
    const state = this.#states.get(name) ?? { isFiring: false, text: '', sinceMs: 0, otherwiseSinceMs: undefined };
    this.#states.set(name, state);
    state.text = wrong ?? state.text;
    if ((wrong !== undefined) === state.isFiring) {
      state.otherwiseSinceMs = undefined;
      return;
    }
    state.otherwiseSinceMs ??= nowMs;
    if (nowMs - state.otherwiseSinceMs < this.#options.forMs) return;
    state.isFiring = wrong !== undefined;
    state.sinceMs = timeMs;
    state.otherwiseSinceMs = undefined;
    this.#onAlert({ name, isFiring: state.isFiring, text: wrong ?? 'it is over' });
  }

  /** The check to compare with: the last one at or before a time, or else the first. */
  #at(upMs: number): Look | undefined {
    return this.#looks.findLast((look) => look.upMs <= upMs) ?? this.#looks[0];
  }

  #keep(now: Look): void {
    const last = this.#looks.at(-1);
    // The counters were reset: there is nothing to compare with.
    if (last !== undefined && now.requests < last.requests) this.#looks = [];
    this.#looks.push(now);
    const oldest = this.#looks.findLastIndex(({ upMs }) => upMs <= now.upMs - USUAL_MS);
    if (oldest > 0) this.#looks = this.#looks.slice(oldest);
    // Every second one of the older half.
    if (this.#looks.length > MAX_LOOKS) this.#looks = this.#looks.filter((_, k) => k % 2 === 0 || k > MAX_LOOKS / 2);
  }
}

function toLook({ counts, standing, upMs }: Reading): Look {
  const { requestTypes, cache, votes } = counts;
  const hits = cache.HIT + cache.COALESCED + cache.STALE;
  const errors = requestTypes.flatMap(({ errorsByReason }) =>
    Object.entries(errorsByReason).map(([name, times]) => (CALLERS_CODES.includes(name.split('/')[0]!) ? 0 : times)),
  );
  return {
    upMs,
    requests: counts.requests,
    errors: sum(errors),
    buckets: BOUNDS_S.concat(Infinity).map((_, index) =>
      // Callers decide how long a watch or a stream lasts.
      sum(requestTypes.map(({ type, histogram }) => (LASTING.includes(type) ? 0 : (histogram.buckets[index] ?? 0)))),
    ),
    disputes: votes.DISPUTED + votes.AUDIT_DISPUTED,
    hits,
    lookups: hits + cache.MISS,
    spansDropped: standing.spans.dropped,
    linesDropped: standing.linesDropped,
    shed: counts.shed,
  };
}

/** Types whose duration depends on the caller, as in the rules file. */
export const LASTING: readonly string[] = ['ReasonStream', 'WatchMetrics', 'Subscribe'];

function since(now: Look, before: Look = now): Omit<Look, 'upMs'> {
  return {
    requests: now.requests - before.requests,
    errors: now.errors - before.errors,
    buckets: now.buckets.map((count, index) => count - before.buckets[index]!),
    disputes: now.disputes - before.disputes,
    hits: now.hits - before.hits,
    lookups: now.lookups - before.lookups,
    spansDropped: now.spansDropped - before.spansDropped,
    linesDropped: now.linesDropped - before.linesDropped,
    shed: {
      ENGINES: now.shed.ENGINES - before.shed.ENGINES,
      CPU: now.shed.CPU - before.shed.CPU,
      MEMORY: now.shed.MEMORY - before.shed.MEMORY,
    },
  };
}

/** Without a free file descriptor the memory cannot be read; then the last value is used. */
export function lastKnown(read: () => number): () => number {
  let last = 0;
  return () => {
    try {
      last = read();
    } catch {
      // Read again at the next check.
    }
    return last;
  };
}

/** Like Prometheus' histogram_quantile: linear within a bucket; above the last bound, that bound. 0 without counts. */
function quantileS(buckets: readonly number[], quantile: number): number {
  const rank = quantile * sum(buckets);
  let below = 0;
  for (const [index, count] of buckets.entries()) {
    if (count === 0 || below + count < rank) {
      below += count;
      continue;
    }
    const from = BOUNDS_S[index - 1] ?? 0;
    const to = BOUNDS_S[index] ?? from;
    return from + ((to - from) * (rank - below)) / count;
  }
  return 0;
}

function named(what: string, engines: readonly { readonly id: string }[]): string | undefined {
  return engines.length === 0 ? undefined : `${what} ${engines.map(({ id }) => id).join(', ')}`;
}

function withWhy({ id, unavailableReason }: { readonly id: string; readonly unavailableReason: string }): {
  readonly id: string;
} {
  // The text stays unchanged after the alert was raised: a count would soon be wrong.
  return { id: `${id} (${withoutTimes(unavailableReason)})` };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MiB`;
}
