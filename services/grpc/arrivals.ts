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
  /** The calls of its owner hold too many bytes. */
  | 'OWNER_FULL'
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
  refuse(why: Unheard, status: Status): void;
}

/** A call that holds fewer bytes is never refused for the room that others take. */
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

  /** So many more bytes are held, or fewer. */
  hold(bytes: number): void {
    this.#bytes += bytes;
    if (bytes > 0 && this.#bytes > this.limits.maxOpenBytes) this.#makeRoom();
  }

  /** The largest goes: it is the one that takes the others' room. */
  #makeRoom(): void {
    let largest: Arriving | undefined;
    for (const each of this.#coming) {
      if (each.openBytes > (largest?.openBytes ?? SMALL_BYTES)) largest = each;
    }
    const message = `the requests that are arriving take more than ${this.limits.maxOpenBytes} bytes; try again, with fewer large ones at once`;
    largest?.refuse('FULL', status('RESOURCE_EXHAUSTED', message));
  }
}
