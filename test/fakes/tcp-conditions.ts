// The effect of a bad network on one direction of a TCP connection. TCP repairs loss, repetition and order, so its
// users notice only delays: later bytes wait for missing ones.
//
// A model instead of `tc netem`, which needs a kernel module. It is simpler: a lost segment always waits for the
// retransmission timer, although TCP would often repair it sooner by duplicate acknowledgements, and lost
// acknowledgements and handshakes are left out.
import type { Random } from '../fuzz/random.ts';

export interface TcpConditions {
  /** One way. */
  readonly delayMs?: number;
  /** Share of the segments, 0 to 1. */
  readonly lossShare?: number;
  readonly bitsPerS?: number;
  /** Share of the segments that are late by REORDERED_MS, so that later ones wait. */
  readonly reorderShare?: number;
  /** Share of the segments that are sent twice: the receiver drops the second, which still used the link. */
  readonly duplicateShare?: number;
}

const SEGMENT_BYTES = 1_448;
/** Linux' shortest retransmission timeout; it doubles with each loss of the same segment. */
const FIRST_TIMEOUT_MS = 200;
const LONGEST_TIMEOUT_MS = 120_000;
const REORDERED_MS = 10;

export class TcpTimes {
  readonly #random: Random;
  /** When the link has sent everything so far. */
  #sentMs = 0;
  /** When everything so far has arrived. */
  #arrivedMs = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The arrival of the last of `bytes` that are sent at `nowMs`: never before earlier bytes. */
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
