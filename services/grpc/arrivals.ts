// Limits on arriving requests: the time of each, and the bytes of all together. Without them a caller could keep a call
// open for ever with half a message, or fill the memory with many incomplete ones.
import { type Status, status } from './status.ts';
import { TimingWheel } from './timing-wheel.ts';

/** Why a call ends before its handler has its message. */
export type Unheard =
  /** The message did not arrive in time. */
  | 'LATE'
  /** The arriving messages hold too many bytes, and this one holds most. */
  | 'FULL'
  /** The calls of its owner hold too many bytes. */
  | 'OWNER_FULL'
  /** The message is flagged as compressed, but the call names no compression. */
  | 'COMPRESSED_FLAG'
  /** The message is too large, or refused by the method's inspector, or cannot be decompressed. */
  | 'BAD';

export interface ArrivalLimits {
  /** Maximum size of one message, bytes. */
  readonly maxMessageBytes: number;
  /** Maximum bytes of the messages of all open calls. */
  readonly maxOpenBytes: number;
  /** Time limit from a call's headers to its complete message; in a stream, from a message's first byte to its last. */
  readonly messageTimeoutMs: number;
}

/** An arriving message. */
export interface Arriving {
  readonly openBytes: number;
  refuse(why: Unheard, status: Status): void;
}

/** A call that holds fewer bytes is never refused because of other calls' bytes. */
const SMALL_BYTES = 65_536;

export class Arrivals {
  readonly wheel = new TimingWheel();
  readonly limits: ArrivalLimits;
  /** Calls with part of a message. */
  readonly #coming = new Set<Arriving>();
  #bytes = 0;

  constructor(limits: ArrivalLimits) {
    this.limits = limits;
  }

  began(arriving: Arriving): void {
    this.#coming.add(arriving);
  }

  ended(arriving: Arriving): void {
    this.#coming.delete(arriving);
  }

  /** Changes the number of bytes held. */
  hold(bytes: number): void {
    this.#bytes += bytes;
    if (bytes > 0 && this.#bytes > this.limits.maxOpenBytes) this.#makeRoom();
  }

  /** The largest one is refused: it takes most of the room. */
  #makeRoom(): void {
    let largest: Arriving | undefined;
    for (const each of this.#coming) {
      if (each.openBytes > (largest?.openBytes ?? SMALL_BYTES)) largest = each;
    }
    const message = `the requests that are arriving take more than ${this.limits.maxOpenBytes} bytes; try again, with fewer large ones at once`;
    largest?.refuse('FULL', status('RESOURCE_EXHAUSTED', message));
  }
}
