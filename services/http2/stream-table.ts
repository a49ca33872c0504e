// The open streams of a connection, by id: a hash table with open addressing.
//
// Not a Map: V8 allocates a new table for an old Map after some deletions. The dead tables keep the streams in them
// alive until the next full garbage collection. This table is allocated again only when it grows.
import type { Http2Stream } from './stream.ts';

const FIRST_SLOTS = 16;

export class StreamTable {
  size = 0;
  /** The number of slots is a power of two, and at least half of them are empty. */
  #slots = emptySlots(FIRST_SLOTS);
  #mask = FIRST_SLOTS - 1;

  get(id: number): Http2Stream | undefined {
    const slots = this.#slots;
    const mask = this.#mask;
    for (let at = (id >>> 1) & mask; ; at = (at + 1) & mask) {
      const stream = slots[at];
      if (stream === undefined || stream.id === id) return stream;
    }
  }

  /** The stream's id is not in the table. */
  add(stream: Http2Stream): void {
    if (2 * this.size >= this.#slots.length) this.#grow();
    this.#put(stream);
    this.size++;
  }

  delete(id: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let hole = (id >>> 1) & mask;
    while (slots[hole] !== undefined && slots[hole]!.id !== id) hole = (hole + 1) & mask;
    if (slots[hole] === undefined) return;
    this.size--;
    // Streams behind the empty slot move into it, unless that would put them before their first slot.
    for (let at = (hole + 1) & mask; slots[at] !== undefined; at = (at + 1) & mask) {
      const first = (slots[at]!.id >>> 1) & mask;
      if (((at - first) & mask) < ((at - hole) & mask)) continue;
      slots[hole] = slots[at];
      hole = at;
    }
    slots[hole] = undefined;
  }

  /** A copy, which does not change when streams are added or deleted. */
  all(): Http2Stream[] {
    return this.#slots.filter((stream) => stream !== undefined);
  }

  #put(stream: Http2Stream): void {
    let at = (stream.id >>> 1) & this.#mask;
    while (this.#slots[at] !== undefined) at = (at + 1) & this.#mask;
    this.#slots[at] = stream;
  }

  #grow(): void {
    const streams = this.all();
    this.#slots = emptySlots(this.#slots.length * 2);
    this.#mask = this.#slots.length - 1;
    for (const stream of streams) this.#put(stream);
  }
}

function emptySlots(count: number): (Http2Stream | undefined)[] {
  return new Array<Http2Stream | undefined>(count).fill(undefined);
}
