// What a bad network does to one direction of a TCP connection, as its two ends notice it. TCP mends loss, repetition and
// order below its users: all that is left of them is time, and that what follows waits for what is missing.
//
// A model in place of `tc netem`, which kernels without its module do not have. It is coarser: a lost segment always
// waits for the retransmission timer, where TCP would often mend it sooner by duplicate acknowledgements, and losses of
// acknowledgements and of handshakes are left out.
import type { Random } from '../fuzz/random.ts';

export interface TcpConditions {
  /** One way. */
  readonly delayMs?: number;
  /** Of the segments, 0 to 1. */
  readonly lossShare?: number;
  readonly bitsPerS?: number;
  /** Of the segments that come late by REORDERED_MS, so that those behind them wait. */
  readonly reorderShare?: number;
  /** Of the segments that are sent twice: the receiver drops the second, which took time on the wire. */
  readonly duplicateShare?: number;
}

const SEGMENT_BYTES = 1_448;
/** Linux' shortest retransmission timeout; it doubles with each loss of the same segment. */
const FIRST_TIMEOUT_MS = 200;
const LONGEST_TIMEOUT_MS = 120_000;
const REORDERED_MS = 10;

export class TcpTimes {
  readonly #random: Random;
  /** When the wire has taken everything so far. */
  #sentMs = 0;
  /** When everything so far has arrived. */
  #arrivedMs = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** When the last of `bytes` that are sent at `nowMs` arrives: never before what was sent earlier. */
  arrivalMs(bytes: number, nowMs: number, conditions: TcpConditions): number {
    const { bitsPerS = Infinity, delayMs = 0, lossShare = 0, reorderShare = 0, duplicateShare = 0 } = conditions;
    for (let left = bytes; left > 0; left -= SEGMENT_BYTES) {
      const copies = this.#random.chance(duplicateShare) ? 2 : 1;
      const wireMs = (Math.min(left, SEGMENT_BYTES) * copies * 8_000) / bitsPerS;
      this.#sentMs = Math.max(this.#sentMs, nowMs) + wireMs;
      let arrivesMs = this.#sentMs + delayMs + (this.#random.chance(reorderShare) ? REORDERED_MS : 0);
      for (let timeoutMs = FIRST_TIMEOUT_MS; this.#random.chance(lossShare); timeoutMs *= 2) {
        arrivesMs += Math.min(timeoutMs, LONGEST_TIMEOUT_MS);
      }
      this.#arrivedMs = Math.max(this.#arrivedMs, arrivesMs);
    }
    return Math.max(this.#arrivedMs, nowMs);
  }
}
