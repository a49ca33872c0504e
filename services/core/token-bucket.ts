// How often something may be done: so many a second, and as many at once.

export class TokenBucket {
  /** Of a token, in time. */
  readonly #costMs: number;
  readonly #nowMs: () => number;
  /** Below 0 after more than a second's tokens were taken at once. */
  #creditMs = 1_000;
  #filledMs: number;

  /** Starts full. */
  constructor(perS: number, nowMs: () => number = () => performance.now()) {
    this.#costMs = 1_000 / perS;
    this.#nowMs = nowMs;
    this.#filledMs = nowMs();
  }

  /**
   * Takes tokens. Returns 0, or in how many milliseconds there will be enough: Infinity where there is never one. More than
   * a second's tokens are given where the bucket is full, and have to be made up for.
   */
  take(tokens = 1): number {
    const waitMs = this.waitMs(tokens);
    if (waitMs === 0) this.#creditMs -= tokens * this.#costMs;
    return waitMs;
  }

  /** Gives back a token that was taken. */
  giveBack(): void {
    this.#creditMs = Math.min(1_000, this.#creditMs + this.#costMs);
  }

  /** What `take` would return. Takes none. */
  waitMs(tokens = 1): number {
    const nowMs = this.#nowMs();
    this.#creditMs = Math.min(1_000, this.#creditMs + nowMs - this.#filledMs);
    this.#filledMs = nowMs;
    const neededMs = tokens > 1 ? Math.min(tokens * this.#costMs, Math.max(1_000, this.#costMs)) : this.#costMs;
    return this.#creditMs < neededMs ? Math.ceil(neededMs - this.#creditMs) : 0;
  }
}
