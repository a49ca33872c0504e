// Stores answers with their inputs, up to a number of entries and of bytes. When it is full, the least recently used
// are evicted.
import { LRUCache } from 'lru-cache';

/**
 * Memory of an entry beyond its input and its answer, bytes: about 450 on the heap (key, entry, typed array, slots in
 * the tables) and the ArrayBuffer's own outside it. Measured with 100,000 entries on Node 24: 500 to 760.
 */
export const ENTRY_OVERHEAD_BYTES = 640;

export interface StoreTimes {
  /** How long an answer is fresh, milliseconds … */
  readonly ttlMs: number;
  /** … and how long it is kept after that, milliseconds. */
  readonly staleMs: number;
}

export interface StoreOptions<V> extends StoreTimes {
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** Memory of an answer, bytes; Infinity: do not store it. */
  readonly sizeOf: (value: V) => number;
  /** A copy to keep: the value may refer to a larger buffer. Default: the value itself. */
  readonly copyOf?: (value: V) => V;
}

interface StoredAnswer<V> {
  readonly data: Uint8Array;
  readonly value: V;
  readonly freshUntilMs: number;
  readonly staleUntilMs: number;
}

export class AnswerStore<V> {
  #options: StoreOptions<V>;
  readonly #now: () => number;
  readonly #entries: LRUCache<string, StoredAnswer<V>>;
  #evictions = 0;

  constructor(options: StoreOptions<V>, now: () => number) {
    this.#options = options;
    this.#now = now;
    this.#entries = new LRUCache({
      // The library allocates tables for this many entries, so it is bounded by what can fit.
      max: Math.max(1, Math.min(options.maxEntries, Math.floor(options.maxBytes / ENTRY_OVERHEAD_BYTES))),
      maxSize: options.maxBytes,
      dispose: (_entry, _key, reason) => {
        if (reason === 'evict') this.#evictions += 1;
      },
    });
  }

  /** Applies to answers stored from now on. */
  configure(times: StoreTimes): void {
    this.#options = { ...this.#options, ...times };
  }

  get entries(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  /** Number of evicted answers. */
  get evictions(): number {
    return this.#evictions;
  }

  /** The answer to exactly `data`, fresh or stale. */
  get(key: string, data: Uint8Array, nowMs: number): StoredAnswer<V> | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && nowMs < entry.staleUntilMs && sameBytes(entry.data, data) ? entry : undefined;
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Scans all entries once. */
  deleteWhere(isWrong: (value: V) => boolean): void {
    const keys = [...this.#entries.entries()].filter(([, { value }]) => isWrong(value)).map(([key]) => key);
    for (const key of keys) this.#entries.delete(key);
  }

  /** Replaces the entry of `key`. A value that does not fit even alone is not stored, and then nothing is replaced. */
  set(key: string, data: Uint8Array, value: V): void {
    const { ttlMs, staleMs, maxBytes, sizeOf, copyOf = asIs } = this.#options;
    const size = ENTRY_OVERHEAD_BYTES + data.length + sizeOf(value);
    if (size === Infinity) return;
    if (size > maxBytes || ttlMs + staleMs <= 0) {
      this.#entries.delete(key);
      return;
    }
    const freshUntilMs = this.#now() + ttlMs;
    // Copied: the caller's bytes are a view that would keep a whole message in memory, and a small Buffer would keep a
    // shared slab of 8 KiB.
    const own = { data: new Uint8Array(data), value: copyOf(value) };
    this.#entries.set(key, { ...own, freshUntilMs, staleUntilMs: freshUntilMs + staleMs }, { size });
  }
}

function asIs<V>(value: V): V {
  return value;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
