// Caches answers. A hit is exact: the hash only selects the entry, and the input bytes must be equal.
//
// HIT        cached and fresh: nothing is computed.
// MISS       computed and cached.
// COALESCED  an equal request was being computed, and its answer is shared. It is computed once for all that wait.
// STALE      no engine could answer (UNAVAILABLE or RESOURCE_EXHAUSTED), and an expired answer was still cached.
//
// A shared computation continues as long as one caller waits for it, even if the one that started it has left. How its
// failure affects the others: see `FailureScope`.
import { throwIfCancelled } from '../core/call.ts';
import { ERROR_KINDS, RouterError, type StatusCode } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import { FlightTable } from './flight-table.ts';
import { type Ending, SingleFlight } from './single-flight.ts';
import { AnswerStore, type StoreOptions, type StoreTimes, sameBytes } from './answer-store.ts';

export interface CacheKey {
  /** Everything besides `data` that the answer depends on: model id, version, shape, options. Compared exactly. */
  readonly scope: string;
  /** 64-bit hash of `data`: selects the entry, never proves equality. */
  readonly hash: bigint;
  /** May be a view into a larger buffer: the cache stores a copy. */
  readonly data: Uint8Array;
}

/** REFRESH: always compute, and replace the cached answer. */
export type CacheUse = 'USE' | 'REFRESH';

export interface CachedAnswer<V> {
  /** Shared by all callers that get it: must not be changed. */
  readonly value: V;
  readonly status: 'HIT' | 'MISS' | 'COALESCED' | 'STALE';
}

interface CacheStats {
  readonly entries: number;
  readonly bytes: number;
  readonly evictions: number;
  /** Running computations that others may join. */
  readonly flights: number;
}

/**
 * After this many failed shared computations, a caller computes alone, so that others' failures no longer affect it.
 */
const MAX_FAILED_FLIGHTS = 2;

export class AnswerCache<V> {
  readonly #kept: AnswerStore<V>;
  readonly #flights = new FlightTable<V>();
  readonly #now: () => number;

  constructor(options: StoreOptions<V>, now: () => number = () => performance.now()) {
    this.#kept = new AnswerStore(options, now);
    this.#now = now;
  }

  configure(times: StoreTimes): void {
    this.#kept.configure(times);
  }

  get stats(): CacheStats {
    const { entries, bytes, evictions } = this.#kept;
    return { entries, bytes, evictions, flights: this.#flights.size };
  }

  /** The cached answer to exactly this question, if it is fresh. */
  fresh({ scope, hash, data }: CacheKey): V | undefined {
    const nowMs = this.#now();
    const kept = this.#kept.get(keyOf(scope, hash), data, nowMs);
    return kept !== undefined && nowMs < kept.freshUntilMs ? kept.value : undefined;
  }

  /**
   * Computes an answer if no fresh one is cached. Rejects with the error of `compute`, or with the caller's reason if
   * it leaves first. `compute` gets the limits to obey: those of all callers that wait for it.
   */
  async compute(
    { scope, hash, data }: CacheKey,
    use: CacheUse,
    context: CallContext,
    compute: (context: CallContext) => Promise<V>,
  ): Promise<CachedAnswer<V>> {
    const key = keyOf(scope, hash);
    const computeAndKeep = async (limits: CallContext): Promise<V> => {
      const value = await compute(limits);
      this.#kept.set(key, data, value);
      return value;
    };
    if (use === 'USE') return await this.#obtain(key, data, context, computeAndKeep);
    return { value: await computeAndKeep(context), status: 'MISS' };
  }

  /**
   * Registers a computation that others may join, run by a caller within its own limits. Returns a function that ends
   * it; call it once. Undefined: an equal question is already being computed.
   */
  lead({ scope, hash, data }: CacheKey, context: CallContext): ((ending: Ending<V>) => void) | undefined {
    const key = keyOf(scope, hash);
    if (this.#flights.get(key) !== undefined) return undefined;
    const entry = new SingleFlight<V>(data, context, this.#now, () => this.#flights.delete(key));
    this.#flights.set(key, entry);
    return (ending) => {
      if (ending.error === undefined) this.#kept.set(key, data, ending.value);
      entry.end(ending);
    };
  }

  /** The cached answer may replace such an error, fresh or stale. */
  instead({ scope, hash, data }: CacheKey, error: RouterError): CachedAnswer<V> | undefined {
    return this.#keptInstead(keyOf(scope, hash), data, error);
  }

  /** The cached answer for this input is wrong: remove it. */
  delete({ scope, hash }: CacheKey): void {
    this.#kept.delete(keyOf(scope, hash));
  }

  /** Removes all answers that are `isWrong`. */
  deleteWhere(isWrong: (value: V) => boolean): void {
    this.#kept.deleteWhere(isWrong);
  }

  async #obtain(
    key: string,
    data: Uint8Array,
    context: CallContext,
    compute: (context: CallContext) => Promise<V>,
  ): Promise<CachedAnswer<V>> {
    let failedFlights = 0;
    while (failedFlights < MAX_FAILED_FLIGHTS) {
      throwIfCancelled(context);
      const entry = this.#flights.get(key);
      if (entry === undefined) {
        return await this.#orStale(key, data, context, this.#lead(key, data, context, compute));
      }
      // Another input with the same hash.
      if (!sameBytes(entry.data, data)) break;

      const { error, value } = await entry.join(context);
      if (error === undefined) {
        if (entry.leaderTraceId !== '') context.span?.trace.root.set('tandem.leader_trace_id', entry.leaderTraceId);
        return { value, status: 'COALESCED' };
      }
      const instead = this.#keptInstead(key, data, error);
      if (instead !== undefined) return instead;
      const failed = scopeOf(error);
      if (failed === 'SHARED' || (failed === 'LEADER_ONLY' && !this.#outlives(context, entry, error))) throw error;
      if (failed === 'TRANSIENT') failedFlights += 1;
    }
    return await this.#orStale(key, data, context, compute(context));
  }

  /** Starts a computation that others may join, and waits for it. */
  async #lead(
    key: string,
    data: Uint8Array,
    context: CallContext,
    compute: (context: CallContext) => Promise<V>,
  ): Promise<V> {
    const entry = new SingleFlight<V>(data, context, this.#now, () => this.#flights.delete(key));
    this.#flights.set(key, entry);
    const ending = entry.join(context);
    void entry.run(compute);
    const { error, value } = await ending;
    if (error !== undefined) throw error;
    return value;
  }

  async #orStale(
    key: string,
    data: Uint8Array,
    { signal }: CallContext,
    computing: Promise<V>,
  ): Promise<CachedAnswer<V>> {
    try {
      return { value: await computing, status: 'MISS' };
    } catch (thrown) {
      const error = RouterError.from(thrown);
      // A caller that has left gets its own reason, whatever the result is.
      const instead = signal.aborted ? undefined : this.#keptInstead(key, data, error);
      if (instead === undefined) throw error;
      return instead;
    }
  }

  /** Looked up at the end, not at the start: another request may have succeeded meanwhile. */
  #keptInstead(key: string, data: Uint8Array, error: RouterError): CachedAnswer<V> | undefined {
    const { code } = ERROR_KINDS[error.kind];
    if (code !== 'UNAVAILABLE' && code !== 'RESOURCE_EXHAUSTED') return undefined;
    const nowMs = this.#now();
    const kept = this.#kept.get(key, data, nowMs);
    return kept && { value: kept.value, status: nowMs < kept.freshUntilMs ? 'HIT' : 'STALE' };
  }

  /** Whether a follower may still get an answer after a computation hit a limit. */
  #outlives({ deadlineMs }: CallContext, entry: SingleFlight<V>, error: RouterError): boolean {
    return error.kind === 'CANCELLED' || (deadlineMs > entry.deadlineMs && deadlineMs > this.#now());
  }
}

/**
 * How a failed computation affects the callers that waited for it but did not start it.
 *
 * - SHARED: the question itself was refused and would be refused again.
 * - LEADER_ONLY: it hit its leader's limits. Callers that still wait try again. Each round one caller leaves, so this
 *   ends.
 * - TRANSIENT: it may succeed the next time. Callers that waited try again, but do not wait for others for ever.
 */
type FailureScope = 'SHARED' | 'LEADER_ONLY' | 'TRANSIENT';

const PASSING: ReadonlySet<StatusCode> = new Set<StatusCode>(['UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'INTERNAL']);

function scopeOf({ kind, failsOver }: RouterError): FailureScope {
  if (kind === 'CANCELLED' || kind === 'DEADLINE_EXCEEDED') return 'LEADER_ONLY';
  return failsOver || PASSING.has(ERROR_KINDS[kind].code) ? 'TRANSIENT' : 'SHARED';
}

/** A hexadecimal number contains no space, so two keys are equal only if both parts are. */
function keyOf(scope: string, hash: bigint): string {
  return `${hash.toString(16)} ${scope}`;
}
