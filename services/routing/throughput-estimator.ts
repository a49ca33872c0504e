// How many requests leave in a millisecond while there is no capacity left: what the engines can do, not what is asked of them.

/** Forgets what is so old, milliseconds, but never more than one part in LEAST_MEMORY at once: few requests a second. */
const MEMORY_MS = 1_000;
const LEAST_MEMORY = 16;
/** Nothing is known any more when there was capacity for so long, milliseconds. */
const PAUSE_MS = 10_000;

export class ThroughputEstimator {
  isRunning = false;
  #left = 0;
  #ms = 0;
  /** Up to when #ms counts; when it stopped, while it does not run. */
  #lastMs = 0;

  /** There is no capacity from now on. What was known fades while there is. */
  start(nowMs: number): void {
    const kept = Math.max(0, 1 - (nowMs - this.#lastMs) / PAUSE_MS);
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

  /** A request was answered. */
  recordAnswer(nowMs: number): void {
    const gapMs = nowMs - this.#lastMs;
    const kept = 1 - Math.min(gapMs / MEMORY_MS, 1 / LEAST_MEMORY);
    this.#left = this.#left * kept + 1;
    this.#ms = this.#ms * kept + gapMs;
    this.#lastMs = nowMs;
  }

  /**
   * Answers per millisecond, as if the next one came now, so that a standstill is noticed. Where none has come yet, as if all
   * `inside` came: they were there before the requests that wait, and a burst is not to be refused for want of knowledge.
   */
  rateAt(nowMs: number, inside: number): number {
    const left = this.#left < 1 ? Math.max(1, inside) : this.#left + 1;
    return left / Math.max(this.#ms + nowMs - this.#lastMs, Number.MIN_VALUE);
  }
}
