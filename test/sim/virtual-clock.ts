// A virtual clock: it replaces setTimeout, setInterval, performance.now, Date.now and Math.random of this process. It
// runs one timer at a time, with all its microtasks, before the next.
import type { Random } from '../fuzz/random.ts';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  isCancelled: boolean;
  ref(): Timer;
  unref(): Timer;
  hasRef(): boolean;
}

const realImmediate = setImmediate;
/** Immediates per turn of the real event loop: a turn is slow, a further immediate in it is not. */
const BATCH = 64;
const START_MS = 10_000;
const EPOCH_MS = 1_700_000_000_000;

export class VirtualClock {
  nowMs = START_MS;
  random: Random | undefined;
  /** Called after each timer and its microtasks. */
  onStep: () => void = () => undefined;
  /** Timers that are not cancelled, including intervals. */
  pending = 0;
  #heap: Timer[] = [];
  #order = 0;

  /** Replaces the globals of this process for ever. */
  install(): void {
    const after = (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): Timer =>
      this.#add(this.nowMs + toDelay(ms), () => run(...args));
    const every = (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): object => {
      const holder: { current?: Timer; unref: () => object; ref: () => object } = {
        unref: () => holder,
        ref: () => holder,
      };
      const again = (): void => {
        holder.current = this.#add(this.nowMs + toDelay(ms), () => {
          again();
          run(...args);
        });
      };
      again();
      return holder;
    };
    const cancel = (timer: Timer | { current?: Timer } | undefined): void => {
      const found = timer !== undefined && 'current' in timer ? timer.current : (timer as Timer | undefined);
      if (found === undefined || found.isCancelled) return;
      found.isCancelled = true;
      this.pending -= 1;
    };
    Object.assign(globalThis, { setTimeout: after, setInterval: every, clearTimeout: cancel, clearInterval: cancel });
    Object.assign(globalThis, { setImmediate: (run: () => void) => this.#add(this.nowMs, run) });
    performance.now = () => this.nowMs;
    Date.now = () => EPOCH_MS + Math.floor(this.nowMs);
    Math.random = () => {
      if (this.random === undefined) throw new Error('Math.random outside a schedule');
      return this.random.next();
    };
  }

  reset(random: Random): void {
    this.nowMs = START_MS;
    this.random = random;
    this.pending = 0;
    this.#heap = [];
    this.#order = 0;
  }

  /** For the schedule itself: it does not count as pending. */
  at(ms: number, run: () => void): void {
    this.#add(Math.max(ms, this.nowMs), () => {
      this.pending += 1;
      run();
    });
    this.pending -= 1;
  }

  /** Advances time until `isOver`, or `untilMs`, or no timer is left. */
  run(isOver: () => boolean, untilMs: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    let isDone = false;
    const step = (): void => {
      if (isDone) return;
      try {
        this.onStep();
        if (isOver() || !this.#next(untilMs)) {
          isDone = true;
          resolve(undefined);
        }
      } catch (error) {
        isDone = true;
        reject(error);
      }
    };
    const batch = (): void => {
      if (isDone) return;
      for (let n = 0; n < BATCH; n += 1) realImmediate(step);
      realImmediate(batch);
    };
    batch();
    return promise;
  }

  #add(atMs: number, run: () => void): Timer {
    const timer: Timer = {
      ...{ atMs, run, order: this.#order, isCancelled: false },
      ref: () => timer,
      unref: () => timer,
      hasRef: () => false,
    };
    this.#order += 1;
    this.pending += 1;
    this.#push(timer);
    return timer;
  }

  #next(untilMs: number): boolean {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined) return false;
      if (!first.isCancelled && first.atMs > untilMs) {
        this.nowMs = untilMs;
        return false;
      }
      this.#pop();
      if (first.isCancelled) continue;
      first.isCancelled = true;
      this.pending -= 1;
      this.nowMs = first.atMs;
      first.run();
      return true;
    }
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(timer, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

/** Of this process. */
export const clock = new VirtualClock();

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs;
}

/** Like Node: whole milliseconds, at least one. */
function toDelay(ms: number): number {
  return ms >= 1 && ms <= 2 ** 31 - 1 ? Math.trunc(ms) : 1;
}
