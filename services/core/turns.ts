// Splits long work into slices, so that other work of the event loop waits for one slice only. All users share one
// slice per turn of the loop, and owners take turns: a thousand batches of one caller delay another caller no more than
// one batch.
import { FairQueue } from './fair-queue.ts';

/** Share of one turn of the event loop, milliseconds. */
const SLICE_MS = 1;

export interface LoopClock {
  now(): number;
  /** Calls `run` after the other work of the event loop. */
  afterOthers(run: () => void): void;
  /** Calls `run` after all work that is ready now, including its microtasks. */
  afterReady(run: () => void): void;
}

const REAL_LOOP: LoopClock = {
  now: () => performance.now(),
  afterOthers: (run) => void setImmediate(run),
  afterReady: (run) => queueMicrotask(() => process.nextTick(run)),
};

export class Turns {
  readonly #loop: LoopClock;
  readonly #waiting = new FairQueue<() => void>();
  /** Start of the current slice; undefined: there is none. */
  #sliceMs: number | undefined;

  constructor(loop: LoopClock = REAL_LOOP) {
    this.#loop = loop;
  }

  /** Call before each piece of work. Undefined: continue. A promise: wait for it; it never rejects. */
  next(owner?: object): Promise<void> | undefined {
    if (this.#sliceMs === undefined) this.#begin();
    else if (this.#waiting.length > 0 || !this.#hasTime())
      return new Promise((resolve) => this.#waiting.push(owner, resolve));
    return undefined;
  }

  #begin(): void {
    this.#sliceMs = this.#loop.now();
    this.#loop.afterOthers(() => {
      this.#sliceMs = undefined;
      if (this.#waiting.length === 0) return;
      this.#begin();
      this.#serve();
    });
  }

  #serve(): void {
    if (!this.#hasTime()) return;
    const go = this.#waiting.shift();
    if (go === undefined) return;
    go();
    this.#loop.afterReady(() => this.#serve());
  }

  #hasTime(): boolean {
    return this.#sliceMs !== undefined && this.#loop.now() - this.#sliceMs < SLICE_MS;
  }
}
