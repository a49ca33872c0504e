// A rate limit: a number per second, which is also the largest burst.

export class TokenBucket {
  /** Time of one token. */
  readonly #costMs: number;
  readonly #nowMs: () => number;
  /** Negative after more than a second's tokens were taken at once. */
  #creditMs = 1_000;
  #filledMs: number;

  /** Starts full. */
  constructor(perS: number, nowMs: () => number = () => performance.now()) {
    this.#costMs = 1_000 / perS;
    this.#nowMs = nowMs;
    this.#filledMs = nowMs();
  }

  /**
   * Takes tokens. Returns 0, or the milliseconds until there will be enough (Infinity: never). A full bucket gives more
   * than a second's tokens at once and goes into debt.
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

  /** Returns what `take` would return, without taking tokens. */
  waitMs(tokens = 1): number {
    const nowMs = this.#nowMs();
    this.#creditMs = Math.min(1_000, this.#creditMs + nowMs - this.#filledMs);
    this.#filledMs = nowMs;
    const neededMs = tokens > 1 ? Math.min(tokens * this.#costMs, Math.max(1_000, this.#costMs)) : this.#costMs;
    return this.#creditMs < neededMs ? Math.ceil(neededMs - this.#creditMs) : 0;
  }
}
