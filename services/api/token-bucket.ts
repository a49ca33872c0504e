// How often something may be done: so many a second, and as many at once.

export class TokenBucket {
  /** Of a token, in time. */
  readonly #costMs: number;
  readonly #nowMs: () => number;
  #creditMs = 1_000;
  #filledMs: number;

  /** Starts full. */
  constructor(perS: number, nowMs: () => number = () => performance.now()) {
    this.#costMs = 1_000 / perS;
    this.#nowMs = nowMs;
    this.#filledMs = nowMs();
  }

  /** Takes a token. Returns 0, or in how many milliseconds there will be one: Infinity where there is never one. */
  take(): number {
    const nowMs = this.#nowMs();
    this.#creditMs = Math.min(1_000, this.#creditMs + nowMs - this.#filledMs);
    this.#filledMs = nowMs;
    if (this.#creditMs < this.#costMs) return Math.ceil(this.#costMs - this.#creditMs);
    this.#creditMs -= this.#costMs;
    return 0;
  }
}
