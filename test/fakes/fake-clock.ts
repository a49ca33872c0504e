// A clock that the test moves, with timers.
/** Runs the timers that are due in `pass`. */
export class FakeClock {
  #nowMs = 5_000;
  readonly #timers = new Set<{ atMs: number; run: () => void }>();

  now = (): number => this.#nowMs;

  after = (ms: number, run: () => void): (() => void) => {
    const timer = { atMs: this.#nowMs + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  get timers(): number {
    return this.#timers.size;
  }

  /** Lets time pass without running timers, as when the event loop is busy. */
  stall(ms: number): void {
    this.#nowMs += ms;
  }

  pass(ms: number): void {
    this.stall(ms);
    for (const timer of this.#timers) {
      if (timer.atMs > this.#nowMs) continue;
      this.#timers.delete(timer);
      timer.run();
    }
  }
}
