// Estimates the throughput while there is no free capacity, in requests per millisecond: the engines' capacity, not the
// demand.

/** Time constant of the memory, milliseconds. At most one part in LEAST_MEMORY is dropped at once, for low rates. */
const MEMORY_MS = 1_000;
const LEAST_MEMORY = 16;
/** The estimate expires after free capacity for this long, milliseconds. */
const PAUSE_MS = 10_000;

export class ThroughputEstimator {
  isRunning = false;
  #left = 0;
  /** Of those, without fading. */
  #seen = 0;
  #ms = 0;
  /** End of the time in #ms; while it is stopped, the time at which it stopped. */
  #lastMs = 0;

  /** No free capacity from now on. While there is some, the estimate fades. */
  start(nowMs: number): void {
    const kept = Math.max(0, 1 - (nowMs - this.#lastMs) / PAUSE_MS);
    if (kept === 0) this.#seen = 0;
    this.#left *= kept;
    this.#ms *= kept;
    this.#lastMs = nowMs;
    this.isRunning = true;
  }

  stop(nowMs: number): void {
    this.#ms += nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    this.isRunning = false;
  }

  /** Records an answer. */
  recordAnswer(nowMs: number): void {
    const gapMs = nowMs - this.#lastMs;
    const kept = 1 - Math.min(gapMs / MEMORY_MS, 1 / LEAST_MEMORY);
    this.#left = this.#left * kept + 1;
    this.#seen += 1;
    this.#ms = this.#ms * kept + gapMs;
    this.#lastMs = nowMs;
  }

  /**
   * Answers per millisecond, as if the next one arrived now, so that a standstill lowers it. Until as many have arrived
   * as are `inside`, it assumes that all of them arrive: they came before the waiting requests, and the first answers
   * of a burst do not show the rate of the rest.
   */
  rateAt(nowMs: number, inside: number): number {
    const left = this.#seen < inside ? inside : this.#left + 1;
    return left / Math.max(this.#ms + nowMs - this.#lastMs, Number.MIN_VALUE);
  }
}
