// What the cache keeps: answers with the inputs they belong to, within a number of entries and of bytes. Where there is
// no more room, the least recently used leave.
import { LRUCache } from 'lru-cache';

/**
 * Memory of an entry beyond its input and its answer, bytes: about 450 on the heap (key, entry, typed array, places in
 * the tables) and the ArrayBuffer's own outside it. Measured with 100,000 entries on Node 24: 500 to 760.
 */
export const ENTRY_OVERHEAD_BYTES = 640;

export interface KeptTimes {
  /** An answer is fresh for so long, milliseconds … */
  readonly ttlMs: number;
  /** … and kept for so long after that, milliseconds. */
  readonly staleMs: number;
}

export interface KeptOptions<V> extends KeptTimes {
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** Memory of an answer, bytes; Infinity: it is not to be kept. */
  readonly sizeOf: (value: V) => number;
}

export interface KeptAnswer<V> {
  readonly data: Uint8Array;
  readonly value: V;
  readonly freshUntilMs: number;
  readonly staleUntilMs: number;
}

export class KeptAnswers<V> {
  #options: KeptOptions<V>;
  readonly #now: () => number;
  readonly #entries: LRUCache<string, KeptAnswer<V>>;
  #evictions = 0;

  constructor(options: KeptOptions<V>, now: () => number) {
    this.#options = options;
    this.#now = now;
    this.#entries = new LRUCache({
      // It reserves its tables for so many, and no more than that can fit.
      max: Math.max(1, Math.min(options.maxEntries, Math.floor(options.maxBytes / ENTRY_OVERHEAD_BYTES))),
      maxSize: options.maxBytes,
      dispose: (_entry, _place, reason) => {
        if (reason === 'evict') this.#evictions += 1;
      },
    });
  }

  /** For answers that come from now on. */
  configure(times: KeptTimes): void {
    this.#options = { ...this.#options, ...times };
  }

  get entries(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  /** How many had to leave for want of room. */
  get evictions(): number {
    return this.#evictions;
  }

  /** The answer to exactly `data`, fresh or stale. */
  find(place: string, data: Uint8Array, nowMs: number): KeptAnswer<V> | undefined {
    const entry = this.#entries.get(place);
    return entry !== undefined && nowMs < entry.staleUntilMs && sameBytes(entry.data, data) ? entry : undefined;
  }

  forget(place: string): void {
    this.#entries.delete(place);
  }

  /** All of them are looked at, once. */
  forgetWhere(isWrong: (value: V) => boolean): void {
    const places = [...this.#entries.entries()].filter(([, { value }]) => isWrong(value)).map(([place]) => place);
    for (const place of places) this.#entries.delete(place);
  }

  /** Replaces what is at `place`. What would not fit even alone is not kept. A value not to be kept replaces nothing. */
  keep(place: string, data: Uint8Array, value: V): void {
    const { ttlMs, staleMs, maxBytes, sizeOf } = this.#options;
    const size = ENTRY_OVERHEAD_BYTES + data.length + sizeOf(value);
    if (size === Infinity) return;
    if (size > maxBytes || ttlMs + staleMs <= 0) {
      this.#entries.delete(place);
      return;
    }
    const freshUntilMs = this.#now() + ttlMs;
    // The caller's bytes are a view that would keep a whole message alive, and a small Buffer shares a slab of 8 KiB
    // with others, which would live as long: this is a copy of its own.
    const copy = new Uint8Array(data);
    this.#entries.set(place, { data: copy, value, freshUntilMs, staleUntilMs: freshUntilMs + staleMs }, { size });
  }
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
