// What the path has told, counted: everything since the router started, or since the last reset.
import { ERROR_KINDS } from '../core/errors.ts';
import type { CacheStatusName, Observer, Outcome, VerdictName } from '../core/observer.ts';
import { Latencies, type LatencySummary, NO_LATENCY } from './latency.ts';

// What is counted comes from the router's own words, so these are not reached; they hold even where that is a mistake.
const MAX_TYPES = 64;
const MAX_STRATEGIES = 64;
const MAX_ENGINES = 512; // twice what a pool holds, since an engine's last attempts may end after it was forgotten
/** Counts what comes after the limits are reached. */
export const OTHER = 'other';

export interface MetricsSnapshot {
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
  readonly requests: number;
  readonly errors: number;
  /** By name. */
  readonly requestTypes: readonly RequestTypeCounts[];
  /** Only those that were used. */
  readonly strategies: ReadonlyMap<string, number>;
  /** By id; only those that were asked. */
  readonly engines: ReadonlyMap<string, EngineCounts>;
  readonly cache: Readonly<Record<CacheStatusName, number>>;
  readonly votes: Readonly<Record<VerdictName, number>>;
}

export interface RequestTypeCounts {
  readonly type: string;
  readonly count: number;
  readonly errors: number;
  /** By "CODE/REASON". */
  readonly errorsByReason: Readonly<Record<string, number>>;
  /** Of those that were answered. */
  readonly latency: LatencySummary;
  /** The same ones in LATENCY_BUCKETS. */
  readonly buckets: readonly number[];
}

export interface EngineCounts {
  readonly succeeded: number;
  /** The engine's fault. */
  readonly failed: number;
  /** Nobody's, or the caller's. */
  readonly others: number;
  readonly dissents: number;
  /** Of answered attempts. */
  readonly latency: LatencySummary;
}

export const NO_ENGINE_COUNTS: EngineCounts = { succeeded: 0, failed: 0, others: 0, dissents: 0, latency: NO_LATENCY };

export class Metrics implements Observer {
  readonly #now: () => number;
  #counts: Counts;

  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#counts = new Counts(now());
  }

  requestEnded(type: string, outcome: Outcome, durationMs: number): void {
    const { types } = this.#counts;
    const counts = types.get(type) ?? added(types, type, MAX_TYPES, () => new TypeCounts());
    if (outcome === 'OK') counts.latencies.record(durationMs);
    else counts.errors.set(outcome, (counts.errors.get(outcome) ?? 0) + 1);
  }

  planned(strategy: string): void {
    const { strategies } = this.#counts;
    const counter = strategies.get(strategy) ?? added(strategies, strategy, MAX_STRATEGIES, () => ({ count: 0 }));
    counter.count += 1;
  }

  attemptEnded(engineId: string, outcome: Outcome, durationMs: number): void {
    const counts = this.#engine(engineId);
    if (outcome === 'OK') counts.latencies.record(durationMs);
    else if (ERROR_KINDS[outcome].outcome === 'failure') counts.failed += 1;
    else counts.others += 1;
  }

  cacheUsed(status: CacheStatusName): void {
    this.#counts.cache[status] += 1;
  }

  voted(verdict: VerdictName, dissenterIds: readonly string[]): void {
    this.#counts.votes[verdict] += 1;
    for (const id of dissenterIds) this.#engine(id).dissents += 1;
  }

  /** For an engine that has left the pool: else those that come and go would fill the table. */
  forgetEngine(engineId: string): void {
    this.#counts.engines.delete(engineId);
  }

  /** Counts anew. */
  reset(): void {
    this.#counts = new Counts(this.#now());
  }

  snapshot(): MetricsSnapshot {
    const { sinceMs, types, strategies, engines, cache, votes } = this.#counts;
    const requestTypes = [...types].map(toTypeCounts).sort((a, b) => (a.type < b.type ? -1 : 1));
    return {
      sinceMs,
      requests: sum(requestTypes.map(({ count }) => count)),
      errors: sum(requestTypes.map(({ errors }) => errors)),
      requestTypes,
      strategies: new Map([...strategies].map(([name, { count }]) => [name, count])),
      engines: new Map([...engines].map(([id, counts]) => [id, toEngineCounts(counts)])),
      cache: { ...cache },
      votes: { ...votes },
    };
  }

  #engine(id: string): AttemptCounts {
    const { engines } = this.#counts;
    return engines.get(id) ?? added(engines, id, MAX_ENGINES, () => new AttemptCounts());
  }
}

class Counts {
  readonly types = new Map<string, TypeCounts>();
  readonly strategies = new Map<string, { count: number }>();
  readonly engines = new Map<string, AttemptCounts>();
  readonly cache: Record<CacheStatusName, number> = { HIT: 0, MISS: 0, COALESCED: 0, STALE: 0, BYPASSED: 0 };
  readonly votes: Record<VerdictName, number> = {
    UNANIMOUS: 0,
    MAJORITY: 0,
    PLURALITY: 0,
    DEGRADED: 0,
    DISPUTED: 0,
    TOO_FEW: 0,
    AUDITED: 0,
    AUDIT_DISPUTED: 0,
  };
  readonly sinceMs: number;

  constructor(sinceMs: number) {
    this.sinceMs = sinceMs;
  }
}

class TypeCounts {
  readonly errors = new Map<Exclude<Outcome, 'OK'>, number>();
  readonly latencies = new Latencies();
}

class AttemptCounts {
  failed = 0;
  others = 0;
  dissents = 0;
  readonly latencies = new Latencies();
}

/** The new entry of `key`, or the one that all share once there are `max`. */
function added<T>(map: Map<string, T>, key: string, max: number, make: () => T): T {
  const name = map.size < max - 1 ? key : OTHER;
  const value = map.get(name) ?? make();
  map.set(name, value);
  return value;
}

function toTypeCounts([type, counts]: [string, TypeCounts]): RequestTypeCounts {
  const latency = counts.latencies.summary();
  const errors = sum([...counts.errors.values()]);
  const byReason = [...counts.errors].map(([kind, count]) => [`${ERROR_KINDS[kind].code}/${kind}`, count] as const);
  return {
    type,
    count: latency.count + errors,
    errors,
    errorsByReason: Object.fromEntries(byReason.sort((a, b) => (a[0] < b[0] ? -1 : 1))),
    latency,
    buckets: counts.latencies.buckets(),
  };
}

function toEngineCounts({ latencies, failed, others, dissents }: AttemptCounts): EngineCounts {
  const latency = latencies.summary();
  return { succeeded: latency.count, failed, others, dissents, latency };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
