// Reports when the router begins to refuse requests for lack of a resource, and when that ends. It reads the counters
// once a second, so a refused request causes no further work: the router may be short of CPU.
import type { Lack } from '../core/errors.ts';
import type { SystemEvents } from './system-events.ts';

/** The cause, and what to do. */
export const WHAT_IS_SHORT: Readonly<Record<Lack, string>> = {
  ENGINES: 'every engine is busy: add engines',
  CPU: 'the router has too little CPU, or was paused: give it more CPU, or start another router',
  MEMORY:
    'the router has reached its limit of requests or of their bytes: raise max_in_flight, or let callers send less at once',
};

const LOOK_MS = 1_000;
/** It ends after this time without a refused request. */
const OVER_MS = 10_000;

interface Period {
  sinceMs: number;
  lastMs: number;
  refused: number;
}

export class SheddingEvents {
  readonly #counted: { readonly shed: Readonly<Record<Lack, number>> };
  readonly #system: Pick<SystemEvents, 'tell'>;
  #before: Readonly<Record<Lack, number>>;
  readonly #under = new Map<Lack, Period>();
  #timer: NodeJS.Timeout | undefined;

  /** `counted`: requests refused so far. */
  constructor(counted: { readonly shed: Readonly<Record<Lack, number>> }, system: Pick<SystemEvents, 'tell'>) {
    this.#counted = counted;
    this.#system = system;
    this.#before = { ...counted.shed };
  }

  start(): void {
    this.#before = { ...this.#counted.shed };
    this.#timer = setInterval(() => this.look(performance.now()), LOOK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Checks once; a timer calls this every second. */
  look(nowMs: number): void {
    const now = { ...this.#counted.shed };
    for (const lack of Object.keys(now) as Lack[]) {
      const before = this.#before[lack];
      const refused = now[lack] < before ? now[lack] : now[lack] - before; // counted anew
      if (refused > 0) this.#refused(lack, refused, nowMs);
      else this.#maybeOver(lack, nowMs);
    }
    this.#before = now;
  }

  #refused(lack: Lack, refused: number, nowMs: number): void {
    const under = this.#under.get(lack);
    if (under !== undefined) {
      under.lastMs = nowMs;
      under.refused += refused;
      return;
    }
    this.#under.set(lack, { sinceMs: nowMs, lastMs: nowMs, refused });
    this.#system.tell('alert', 'WARNING', `requests are refused: ${WHAT_IS_SHORT[lack]}`, { name: nameOf(lack) });
  }

  #maybeOver(lack: Lack, nowMs: number): void {
    const under = this.#under.get(lack);
    if (under === undefined || nowMs - under.lastMs < OVER_MS) return;
    this.#under.delete(lack);
    const seconds = Math.max(1, Math.round((under.lastMs - under.sinceMs) / 1_000));
    const text = `no requests are refused any more; ${under.refused} were refused within ${seconds} s`;
    this.#system.tell('alert', 'INFO', text, { name: nameOf(lack) });
  }
}

function nameOf(lack: Lack): string {
  return `shedding for lack of ${lack === 'CPU' ? 'CPU' : lack.toLowerCase()}`;
}
