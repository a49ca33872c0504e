// performance.now() as milliseconds since 1970, to the microsecond, so that spans of several processes fit together.
// performance.timeOrigin alone is not enough: it is inexact if the process was interrupted while it was read, and the
// system's clock may be set while the router runs.

export interface Clocks {
  /** Milliseconds since some point, fractional. */
  now(): number;
  /** Milliseconds since 1970, integers. */
  wall(): number;
}

const SYSTEM: Clocks = { now: () => performance.now(), wall: () => Date.now() };

const NANO_PER_MS = 1_000_000;
const TWO_32 = 2 ** 32;

export class EpochClock {
  /**
   * Unix nanoseconds of the last `toUnixNano`, 64 bits in two halves: a number cannot hold them, and a bigint is slow.
   */
  high = 0;
  low = 0;
  readonly #clocks: Clocks;
  #originMs: number;
  /** The halves of what is whole in `#splitMs`, an origin, and the rest of it. */
  #splitMs = NaN;
  #originHigh = 0;
  #originLow = 0;
  #fractionMs = 0;

  constructor(originMs: number = performance.timeOrigin, clocks: Clocks = SYSTEM) {
    this.#originMs = originMs;
    this.#clocks = clocks;
  }

  toEpochMs(nowMs: number): number {
    return this.#originMs + nowMs;
  }

  /** The order of times is preserved, since all are rounded in the same way. */
  toUnixNano(nowMs: number): void {
    if (this.#splitMs !== this.#originMs) this.#split();
    const nano = Math.round((nowMs + this.#fractionMs) * NANO_PER_MS);
    const upper = Math.floor(nano / TWO_32);
    const low = this.#originLow + (nano - upper * TWO_32);
    this.low = low % TWO_32;
    this.high = this.#originHigh + upper + (low >= TWO_32 ? 1 : 0);
  }

  /**
   * Follows the system's clock. Its readings are whole milliseconds, so each gives a range for our origin; the origin
   * moves only as far as into that range, and many readings make it precise.
   */
  adjust(): void {
    const before = this.#clocks.now();
    const wallMs = this.#clocks.wall();
    const after = this.#clocks.now();
    const [earliestMs, latestMs] = [wallMs - after, wallMs + 1 - before];
    this.#originMs = Math.min(Math.max(this.#originMs, earliestMs), latestMs);
  }

  #split(): void {
    this.#splitMs = this.#originMs;
    const whole = Math.floor(this.#originMs);
    this.#fractionMs = this.#originMs - whole;
    const nano = BigInt(whole) * BigInt(NANO_PER_MS);
    this.#originHigh = Number(nano >> 32n);
    this.#originLow = Number(nano & 0xffff_ffffn);
  }
}
