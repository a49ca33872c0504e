// Finds requests whose engine is late, so that another engine can be asked beside it. One timer for all requests, since
// nearly all of them end before anything has to be done: a timer for each would cost more than it brings.

export interface Watched {
  /** It is forgotten soon after this becomes true. */
  readonly isOver: boolean;
  /** When `check` is to be called, by performance.now(). */
  readonly checkMs: number;
  /** Sets `checkMs` to a later time. */
  check(nowMs: number): void;
}

const SWEEP_MS = 5;

export class LateAttempts {
  #watched: Watched[] = [];
  #timer: NodeJS.Timeout | undefined;
  // Answers that arrived while this process was busy are read before the sweep, so they do not count as late.
  readonly #onTimer = (): void => void setImmediate(this.#sweep);
  readonly #sweep = (): void => {
    const nowMs = performance.now();
    const watched = this.#watched;
    this.#watched = [];
    for (const each of watched) {
      if (each.isOver) continue;
      this.#watched.push(each);
      if (nowMs >= each.checkMs) each.check(nowMs);
    }
    if (this.#watched.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  };

  watch(request: Watched): void {
    this.#watched.push(request);
    this.#timer ??= setInterval(this.#onTimer, SWEEP_MS).unref();
  }
}
