// Answers to questions asked before. Exact: the hash only says where to look, and an answer is given for the very same
// input bytes alone.
//
// HIT        kept and fresh: nothing is computed.
// MISS       computed, and kept.
// COALESCED  an equal request was being computed: its answer. However many wait, it is computed once.
// STALE      no engine could answer (UNAVAILABLE or RESOURCE_EXHAUSTED), and an answer past its time was still kept.
//
// A shared computation goes on as long as one caller waits for it, also when the one that began it has left. What its failure
// means to the others: see `FailureScope`.
import { throwIfCancelled } from '../core/call.ts';
import { ERROR_KINDS, RouterError, type StatusCode } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import { FlightTable } from './flight-table.ts';
import { type Ending, SingleFlight } from './single-flight.ts';
import { AnswerStore, type StoreOptions, type StoreTimes, sameBytes } from './answer-store.ts';

export interface CacheKey {
  /** All that an answer depends on besides `data`: model id, version, shape, options. Exact text. */
  readonly scope: string;
  /** 64 bits of `data`: where to look, never proof. */
  readonly hash: bigint;
  /** May be a view into a larger buffer: what is kept is a copy. */
  readonly data: Uint8Array;
}

/** REFRESH: compute in any case, and replace what is kept. */
export type CacheUse = 'USE' | 'REFRESH';

export interface CachedAnswer<V> {
  /** Shared by all who get it: not to be changed. */
  readonly value: V;
  readonly status: 'HIT' | 'MISS' | 'COALESCED' | 'STALE';
}

interface CacheStats {
  readonly entries: number;
  readonly bytes: number;
  readonly evictions: number;
  /** Computations under way that others may join. */
  readonly flights: number;
}

/** After so many shared computations have failed, a caller computes for itself, so that its fate is its own. */
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

  /** What is kept for exactly this question, where it is fresh. */
  fresh({ scope, hash, data }: CacheKey): V | undefined {
    const nowMs = this.#now();
    const kept = this.#kept.get(keyOf(scope, hash), data, nowMs);
    return kept !== undefined && nowMs < kept.freshUntilMs ? kept.value : undefined;
  }

  /**
   * Where nothing fresh is kept. Rejects with what `compute` does, or, where the caller leaves first, with why it left.
   * `compute` is given the limits that it must keep to: those of all who wait for it.
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
   * Begins a computation that others may join, of a caller that computes within its own limits. Returns what ends it, to be
   * called once. Undefined: an equal question is being computed.
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

  /** What is kept may be given instead of such an error, fresh or stale. */
  instead({ scope, hash, data }: CacheKey, error: RouterError): CachedAnswer<V> | undefined {
    return this.#keptInstead(keyOf(scope, hash), data, error);
  }

  /** What is kept for this input has turned out to be wrong. */
  delete({ scope, hash }: CacheKey): void {
    this.#kept.delete(keyOf(scope, hash));
  }

  /** What is kept and `isWrong` must not be given any more. */
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

  /** Begins a computation that others may join, and waits for it. */
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
      // A caller that has left is told why it left, whatever else is known.
      const instead = signal.aborted ? undefined : this.#keptInstead(key, data, error);
      if (instead === undefined) throw error;
      return instead;
    }
  }

  /** Looked up at the end, not at the beginning: in the meantime another may have had more luck. */
  #keptInstead(key: string, data: Uint8Array, error: RouterError): CachedAnswer<V> | undefined {
    const { code } = ERROR_KINDS[error.kind];
    if (code !== 'UNAVAILABLE' && code !== 'RESOURCE_EXHAUSTED') return undefined;
    const nowMs = this.#now();
    const kept = this.#kept.get(key, data, nowMs);
    return kept && { value: kept.value, status: nowMs < kept.freshUntilMs ? 'HIT' : 'STALE' };
  }

  /** Whether a follower may still hope for an answer after a flight has run into a limit. */
  #outlives({ deadlineMs }: CallContext, entry: SingleFlight<V>, error: RouterError): boolean {
    return error.kind === 'CANCELLED' || (deadlineMs > entry.deadlineMs && deadlineMs > this.#now());
  }
}

/**
 * What a failed computation means to the callers that waited for it but did not begin it.
 *
 * - SHARED: the question itself was refused, and would be again.
 * - LEADER_ONLY: it ran into its leader's limits. Callers that still wait try again; each time one leaves, so this ends.
 * - TRANSIENT: it might go well the next time. Callers that waited try again, but do not wait for others for ever.
 */
type FailureScope = 'SHARED' | 'LEADER_ONLY' | 'TRANSIENT';

const PASSING: ReadonlySet<StatusCode> = new Set<StatusCode>(['UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'INTERNAL']);

function scopeOf({ kind, retryable }: RouterError): FailureScope {
  if (kind === 'CANCELLED' || kind === 'DEADLINE_EXCEEDED') return 'LEADER_ONLY';
  return retryable || PASSING.has(ERROR_KINDS[kind].code) ? 'TRANSIENT' : 'SHARED';
}

/** A number in hexadecimal holds no blank: two keys are the same only if both parts are. */
function keyOf(scope: string, hash: bigint): string {
  return `${hash.toString(16)} ${scope}`;
}
