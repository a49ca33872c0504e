// Calls each connection once a second. Time limits are counted in these ticks: no frame needs a clock, and no connection a
// timer of its own.

export interface Ticked {
  tick(): void;
}

const TICK_MS = 1_000;

export class Ticker {
  readonly #members = new Set<Ticked>();
  #timer: NodeJS.Timeout | undefined = undefined;

  add(member: Ticked): void {
    this.#members.add(member);
    this.#timer ??= setInterval(() => this.tick(), TICK_MS).unref();
  }

  remove(member: Ticked): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  tick(): void {
    for (const member of this.#members) member.tick();
  }
}

export const sharedTicker = new Ticker();
