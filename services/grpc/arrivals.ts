// Requests on their way in: how long one may take, and how many bytes all of them may hold together. Without this a caller
// could keep a call open for ever with half a message, or fill the memory with many that are nearly whole.
import { type Status, status } from './status.ts';
import { TimingWheel } from './timing-wheel.ts';

/** Why a call ends before its handler has its message. */
export type Unheard =
  /** The message did not come in time. */
  | 'LATE'
  /** The messages that come in hold too many bytes, and this one the most. */
  | 'FULL'
  /** The message is flagged as compressed, and the call does not say how. */
  | 'COMPRESSED_FLAG'
  /** The message is too large, or refused by the method's inspector, or cannot be decompressed. */
  | 'BAD';

export interface ArrivalLimits {
  /** Of one message, bytes. */
  readonly maxMessageBytes: number;
  /** Of the messages of all calls that are open, bytes. */
  readonly maxOpenBytes: number;
  /** From a call's headers until its message is whole, and in a stream from a message's first byte to its last. */
  readonly messageTimeoutMs: number;
}

/** A message that is coming in. */
export interface Arriving {
  readonly openBytes: number;
  /** The place that `Arrivals` gives it; -1: it has none. */
  arrivingSlot: number;
  refuse(why: Unheard, status: Status): void;
}

/** A call that holds fewer bytes is never refused for the room that others take. */
const SMALL_BYTES = 65_536;

export class Arrivals {
  readonly wheel = new TimingWheel();
  readonly limits: ArrivalLimits;
  /**
   * Calls with part of a message; free slots are undefined. Not a Set: V8 allocates the tables of an old Set anew every few
   * deletions, and the dead ones keep all calls of their time alive until the next full collection.
   */
  readonly #coming: (Arriving | undefined)[] = [];
  #count = 0;
  #bytes = 0;

  constructor(limits: ArrivalLimits) {
    this.limits = limits;
  }

  began(arriving: Arriving): void {
    if (arriving.arrivingSlot >= 0) return;
    arriving.arrivingSlot = this.#count;
    this.#coming[this.#count] = arriving;
    this.#count += 1;
  }

  ended(arriving: Arriving): void {
    const { arrivingSlot: slot } = arriving;
    if (slot < 0) return;
    this.#count -= 1;
    const last = this.#coming[this.#count]!;
    this.#coming[slot] = last;
    last.arrivingSlot = slot;
    this.#coming[this.#count] = undefined;
    arriving.arrivingSlot = -1;
  }

  /** So many more bytes are held, or fewer. */
  hold(bytes: number): void {
    this.#bytes += bytes;
    if (bytes > 0 && this.#bytes > this.limits.maxOpenBytes) this.#makeRoom();
  }

  /** The largest goes: it is the one that takes the others' room. */
  #makeRoom(): void {
    let largest: Arriving | undefined;
    for (let slot = 0; slot < this.#count; slot += 1) {
      const each = this.#coming[slot]!;
      if (each.openBytes > (largest?.openBytes ?? SMALL_BYTES)) largest = each;
    }
    const message = `the requests that are coming in take more than ${this.limits.maxOpenBytes} bytes; try again, with fewer large ones at once`;
    largest?.refuse('FULL', status('RESOURCE_EXHAUSTED', message));
  }
}
