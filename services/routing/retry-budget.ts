// One budget for all second attempts of the router, so that a struggling pool is not drowned in retries.

export class RetryBudget {
  #capacity: number;
  #perRequest: number;
  #tokens: number;

  /**
   * Starts full: `capacity` is the number of requests that may be under way, so that all of them can be asked again
   * once when an engine dies. From then on retries are `percent` of the requests.
   */
  constructor(capacity: number, percent: number) {
    this.#capacity = capacity;
    this.#perRequest = percent / 100;
    this.#tokens = percent === 0 ? 0 : capacity;
  }

  /** What is saved already is kept, as far as there is room. */
  configure(capacity: number, percent: number): void {
    this.#capacity = capacity;
    this.#perRequest = percent / 100;
    this.#tokens = percent === 0 ? 0 : Math.min(capacity, this.#tokens);
  }

  /** For every request that is planned. */
  deposit(): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + this.#perRequest);
  }

  /** Whether no attempt is allowed now. */
  get isEmpty(): boolean {
    return this.#tokens < 1;
  }

  /** Whether one more attempt is allowed. */
  withdraw(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
