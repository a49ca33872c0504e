// The newest events of one group, bounded in number and bytes.
import type { Event } from './event.ts';

/** Memory of an empty event: the object, string headers, its slot. */
const BASE_BYTES = 256;

export interface RingBounds {
  readonly maxEvents: number;
  /** The newest event is kept even if it alone exceeds the limit. */
  readonly maxBytes: number;
}

export class EventRing {
  readonly #bounds: RingBounds;
  /** By sequence. */
  readonly #events: Event[] = [];
  #bytes = 0;
  #lastEvicted = 0;

  constructor(bounds: RingBounds) {
    this.#bounds = bounds;
  }

  /** Sequence of the newest dropped event; 0: none. */
  get lastEvicted(): number {
    return this.#lastEvicted;
  }

  /** Returns the dropped events. */
  push(event: Event): readonly Event[] {
    this.#events.push(event);
    this.#bytes += sizeOf(event);
    const evicted: Event[] = [];
    while (this.#events.length > 1 && this.#isOver()) {
      const oldest = this.#events.shift()!;
      this.#bytes -= sizeOf(oldest);
      this.#lastEvicted = oldest.sequence;
      evicted.push(oldest);
    }
    return evicted;
  }

  /** Removes an event that a newer one replaces. It may have been dropped already. */
  delete(sequence: number): void {
    const index = this.#indexAfter(sequence - 1);
    const event = this.#events[index];
    if (event?.sequence !== sequence) return;
    this.#events.splice(index, 1);
    this.#bytes -= sizeOf(event);
  }

  /** The newest ones, oldest first. */
  newest(limit: number): readonly Event[] {
    return limit > 0 ? this.#events.slice(-limit) : [];
  }

  /** Number of events after a sequence number. */
  countAfter(sequence: number): number {
    return this.#events.length - this.#indexAfter(sequence);
  }

  /** The first event after a sequence that `isWanted`. */
  firstAfter(sequence: number, isWanted: (event: Event) => boolean): Event | undefined {
    for (let index = this.#indexAfter(sequence); index < this.#events.length; index += 1) {
      const event = this.#events[index]!;
      if (isWanted(event)) return event;
    }
    return undefined;
  }

  #isOver(): boolean {
    return this.#events.length > this.#bounds.maxEvents || this.#bytes > this.#bounds.maxBytes;
  }

  /** Index of the first event after a sequence number. */
  #indexAfter(sequence: number): number {
    let [low, high] = [0, this.#events.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#events[middle]!.sequence <= sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Strings count two bytes per character, the maximum. */
function sizeOf({ topic, text, data, payload }: Event): number {
  const characters = Object.entries(data).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  return BASE_BYTES + 2 * (topic.length + text.length + characters) + payload.length;
}
