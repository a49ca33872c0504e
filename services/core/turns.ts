// Long work in slices, so that what else the event loop has to do waits for one slice and not for all of them. All that
// takes its turn here shares one slice for each turn of the loop, and owners take turns: a thousand batches of one caller hold
// up another caller no longer than one does.
import { FairQueue } from './fair-queue.ts';

/** Of one turn of the event loop, milliseconds. */
const SLICE_MS = 2;

export interface LoopClock {
  now(): number;
  /** Calls `run` when the event loop has done what else it had to do. */
  afterOthers(run: () => void): void;
  /** Calls `run` when the work that is ready now, and what follows from it, has run. */
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
  /** When the present slice began; undefined: none has. */
  #sliceMs: number | undefined;

  constructor(loop: LoopClock = REAL_LOOP) {
    this.#loop = loop;
  }

  /** To be called before each piece of work. Undefined: go on. A promise: wait for it, it never rejects. */
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
