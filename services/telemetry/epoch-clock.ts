// performance.now() as nanoseconds since 1970, so that spans of several processes fit together.
// performance.timeOrigin alone would not do: the system's clock is set, and drifts, while the router runs.

/** Date.now() knows no fractions: within so much the two are the same. */
const TOLERANCE_MS = 2;
const ADJUST_EVERY_MS = 100;
const NANO_PER_MS = 1_000_000;
const TWO_32 = 2 ** 32;

export class EpochClock {
  /** Unix nanoseconds of the last `toUnixNano`, 64 bits in two halves: no number holds them, and a bigint is dear. */
  high = 0;
  low = 0;
  #originMs = 0;
  #fractionMs = 0;
  #adjustedMs = -Infinity;
  #originHigh = 0;
  #originLow = 0;

  constructor() {
    this.#setOrigin(performance.timeOrigin);
  }

  toUnixNano(nowMs: number): void {
    const nano = Math.round((nowMs + this.#fractionMs) * NANO_PER_MS);
    const upper = Math.floor(nano / TWO_32);
    const low = this.#originLow + (nano - upper * TWO_32);
    this.low = low % TWO_32;
    this.high = this.#originHigh + upper + (low >= TWO_32 ? 1 : 0);
  }

  /** Follows the system's clock where that has moved. `nowMs`: about now, on performance.now()'s clock. */
  adjust(nowMs: number): void {
    if (nowMs - this.#adjustedMs < ADJUST_EVERY_MS) return;
    this.#adjustedMs = nowMs;
    const driftMs = Date.now() - this.#originMs - performance.now();
    if (Math.abs(driftMs) > TOLERANCE_MS) this.#setOrigin(this.#originMs + driftMs);
  }

  #setOrigin(ms: number): void {
    this.#originMs = ms;
    const whole = Math.floor(ms);
    this.#fractionMs = ms - whole;
    const nano = BigInt(whole) * BigInt(NANO_PER_MS);
    this.#originHigh = Number(nano >> 32n);
    this.#originLow = Number(nano & 0xffff_ffffn);
  }
}
