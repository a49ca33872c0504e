// Calls each connection once a second. Time limits are counted in these ticks: no frame needs a clock, and no
// connection needs its own timer.

interface Ticked {
  /**
   * `seconds`: since the last tick. More than 1 after the process was paused; frames of all these seconds may wait
   * then.
   */
  tick(seconds: number): void;
}

const TICK_MS = 1_000;

export class Ticker {
  readonly #members = new Set<Ticked>();
  #timer: NodeJS.Timeout | undefined = undefined;
  #lastMs = 0;

  add(member: Ticked): void {
    this.#members.add(member);
    if (this.#timer !== undefined) return;
    this.#lastMs = performance.now();
    this.#timer = setInterval(() => this.#onTimer(), TICK_MS).unref();
  }

  remove(member: Ticked): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  tick(seconds = 1): void {
    for (const member of this.#members) member.tick(seconds);
  }

  #onTimer(): void {
    const nowMs = performance.now();
    const seconds = Math.max(1, Math.round((nowMs - this.#lastMs) / TICK_MS));
    this.#lastMs = nowMs;
    this.tick(seconds);
  }
}

export const sharedTicker = new Ticker();
