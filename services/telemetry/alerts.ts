// The alerts of deploy/prometheus/tandem.rules.yml, raised by the router itself: an operator without Prometheus gets the
// same alerts. A test holds names, thresholds and times of the two equal.
//
// A rule looks at what was counted within a window. What holds for `forMs` is raised, and what has not held for `forMs`
// is over: a figure that trembles around its threshold raises one alert.
import { withoutTimes } from '../core/cause.ts';
import type { Lack } from '../core/errors.ts';
import { BOUNDS_S } from './latency.ts';
import type { Reading } from './meter.ts';
import { WHAT_IS_SHORT } from './shedding.ts';

export interface AlertOptions {
  /** Interval between checks, milliseconds. */
  readonly intervalMs: number;
  /** How far back rates look. */
  readonly windowMs: number;
  readonly forMs: number;
  /** Above these it is an alert. */
  readonly errorRatio: number;
  readonly p99Ms: number;
  readonly memoryBytes: number;
  /** Below this part of what is usual it is one. */
  readonly cacheCollapse: number;
}

export interface Alert {
  readonly name: AlertName;
  readonly isFiring: boolean;
  /** What is wrong, and by how much; or that it is over. */
  readonly text: string;
}

/** An alert that is raised now. */
interface RaisedAlert {
  readonly name: AlertName;
  /** What is wrong, as of the last look. */
  readonly text: string;
  /** Since when, milliseconds since 1970. */
  readonly sinceMs: number;
}

/** What is kept of a reading. */
interface Look {
  readonly upMs: number;
  readonly requests: number;
  readonly errors: number;
  /** Of all requests' latencies, not cumulative. */
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
  /** What was counted within the window, and within the time that says what is usual. */
  readonly recent: Omit<Look, 'upMs'>;
  readonly usual: Omit<Look, 'upMs'>;
}

/** Says what is wrong; undefined: nothing. */
type Rule = (view: View) => string | undefined;

/** What the hit ratio is compared with, milliseconds: as in the rules file. */
export const USUAL_MS = 3_600_000;
/** With fewer lookups in the window, or a usual ratio below, a ratio says nothing. */
export const MIN_LOOKUPS = 100;
export const MIN_USUAL_RATIO = 0.1;
/** Requests refused that are more than a burst, as a part of all: as in the rules file. */
export const MAX_SHED_RATIO = 0.01;
/** Looks kept, whatever the interval. */
const MAX_LOOKS = 1_024;

/** Outcomes that are the caller's own doing: as in the rules file. */
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
      ? `one request in a hundred takes over ${p99Ms.toFixed(0)} ms, more than ${options.p99Ms} ms`
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
        .filter(({ breaker }) => breaker.state !== 'CLOSED') // half-open every now and then
        .map(({ id, breaker }) => {
          const why = breaker.events?.findLast(({ state }) => state === 'OPEN')?.why ?? '';
          return { id: why === '' ? id : `${id} (${why})` };
        }),
    ),
  TandemEngineDown: ({ reading }) =>
    named(
      'engines that cannot be asked:',
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
      'models that are not as in the repository:',
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
    spansDropped > 0 ? `${spansDropped} spans of traces were lost on their way out` : undefined,
} as const satisfies Record<string, Rule>;

export type AlertName = keyof typeof ALERT_RULES;

interface RuleState {
  isFiring: boolean;
  /** What was wrong at the last look that found something. */
  text: string;
  /** When it was raised last, milliseconds since 1970. */
  sinceMs: number;
  /** Since when the rule has said otherwise; undefined: it has not. */
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

  /** Those that are raised now. */
  get raised(): readonly RaisedAlert[] {
    return [...this.#states].flatMap(([name, { isFiring, text, sinceMs }]) =>
      isFiring ? [{ name, text, sinceMs }] : [],
    );
  }

  /** Looks once; the timer does so every `intervalMs`. */
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

  /** The look to compare with: the last one at or before a time, or the first there is. */
  #at(upMs: number): Look | undefined {
    return this.#looks.findLast((look) => look.upMs <= upMs) ?? this.#looks[0];
  }

  #keep(now: Look): void {
    const last = this.#looks.at(-1);
    // Counted anew: there is nothing to compare with.
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
      // A watch or a stream lasts as long as its caller likes.
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

/** Types whose duration is their callers' business: as in the rules file. */
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

/** Without a file descriptor the system does not say how much memory there is: then the last figure holds. */
export function lastKnown(read: () => number): () => number {
  let last = 0;
  return () => {
    try {
      last = read();
    } catch {
      // Asked again at the next look.
    }
    return last;
  };
}

/** As Prometheus' histogram_quantile: within a bucket evenly spread, above the last bound that bound. 0 of nothing. */
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
  // The text stays as it was when the alert was raised: a count would soon be wrong.
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
