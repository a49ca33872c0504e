// One budget for all retries of the router, so that retries do not overload a struggling pool.

export class RetryBudget {
  #capacity: number;
  #perRequest: number;
  #tokens: number;

  /**
   * Starts full: `capacity` is the maximum number of requests in flight, so that each of them can be retried once when
   * an engine dies. After that, retries are limited to `percent` of the requests.
   */
  constructor(capacity: number, percent: number) {
    this.#capacity = capacity;
    this.#perRequest = percent / 100;
    this.#tokens = percent === 0 ? 0 : capacity;
  }

  /** The saved budget is kept, up to the new capacity. */
  configure(capacity: number, percent: number): void {
    this.#capacity = capacity;
    this.#perRequest = percent / 100;
    this.#tokens = percent === 0 ? 0 : Math.min(capacity, this.#tokens);
  }

  /** Call for every planned request. */
  deposit(): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + this.#perRequest);
  }

  /** Whether no retry is allowed now. */
  get isEmpty(): boolean {
    return this.#tokens < 1;
  }

  /** Whether a backup may use it. The other half is only for requests after a failed attempt. */
  get isHalfFull(): boolean {
    return this.#tokens >= Math.max(1, this.#capacity / 2);
  }

  /** Whether one more attempt is allowed. */
  withdraw(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
