// Admission: a request continues if an engine has capacity, else waits for its turn, or is refused at once if waiting
// would be useless.
//
// A queue for each model, because only engines that hold it count and because each has its own throughput. In a queue callers
// take turns, and each caller's requests are first come, first served: adaptive LIFO (Maurer, "Fail at scale", 2015)
// serves the newest requests first when the queue is so long that the oldest are lost anyway. Here a request that would
// be lost never waits, so LIFO would only refuse it later. The other idea of that article helps, CoDel (Nichols and
// Jacobson, 2012): a queue is for bursts. In a queue that has stood for long, only a short wait is allowed, because a
// standing queue adds latency and no answers.
import { deadlinePassed, throwIfCancelled } from '../core/call.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import { type HasCapacity, RoomQueue } from './room-queue.ts';
import { Waiter, WaitingQueue } from './waiting-queue.ts';

export interface AdmissionOptions {
  /** Maximum waiting requests, over all models; 0: a request without capacity is refused. */
  readonly maxQueue: number;
  /** Maximum wait, milliseconds. */
  readonly maxWaitMs: number;
}

export interface Clock {
  now(): number;
  /** Calls `run` later; returns a function that cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** Share of the maximum wait that is allowed in a queue that has stood longer than the maximum. */
const STANDING_SHARE = 0.1;
/** Estimates may be wrong: a request that would use more than this share of its time is refused. */
const USABLE = 0.8;
const MIN_RETRY_AFTER_MS = 10;
const MAX_RETRY_AFTER_MS = 30_000;

const REAL_CLOCK: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

export class Admission {
  #options: AdmissionOptions;
  readonly #clock: Clock;
  readonly #queues = new WeakMap<object, WaitingQueue>();
  readonly #ballots = new RoomQueue();
  /** Queues with waiting requests, next one first. There are few, one for each model. */
  readonly #standing = new Set<WaitingQueue>();
  #waiting = 0;
  /** Admitted but not sent yet: their slots still count as free. */
  #released = 0;

  constructor(options: AdmissionOptions, clock: Clock = REAL_CLOCK) {
    this.#options = options;
    this.#clock = clock;
  }

  configure(options: AdmissionOptions): void {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Undefined: continue now, synchronously. A promise: wait for it; it rejects with ROUTER_FULL, DEADLINE_EXCEEDED or
   * the signal's reason. Throws ROUTER_FULL. Only an admitted request calls `leave`, once, however it ends. `capacity`:
   * number of requests that could be sent now; see `freeSlots`.
   */
  enter(model: object, capacity: () => number, context: CallContext): Promise<void> | undefined {
    const queue = this.#queueOf(model);
    if (queue.length === 0 && capacity() > this.#released) {
      if (queue.throughput.isRunning) queue.throughput.stop(this.#clock.now());
      queue.inside += 1;
      return undefined;
    }
    const nowMs = this.#clock.now();
    if (!queue.throughput.isRunning) queue.throughput.start(nowMs);
    this.serve();
    this.#refuseInVain(queue, context, nowMs);
    return this.#wait(queue, capacity, context, nowMs);
  }

  /** How many of a group may continue now, synchronously. Each of the others must call `enter`. */
  enterUpTo(model: object, capacity: () => number, wanted: number): number {
    const queue = this.#queueOf(model);
    const room = queue.length > 0 ? 0 : Math.max(0, Math.min(wanted, capacity() - this.#released));
    if (room > 0 && queue.throughput.isRunning) queue.throughput.stop(this.#clock.now());
    queue.inside += room;
    return room;
  }

  /**
   * Call at the end of an admitted request. A cancelled or timed-out request says nothing about the engines'
   * throughput.
   */
  leave(model: object, isAnswered: boolean): void {
    const queue = this.#queueOf(model);
    queue.inside -= 1;
    if (isAnswered && queue.throughput.isRunning) queue.throughput.recordAnswer(this.#clock.now());
    this.serve();
  }

  /**
   * For an admitted vote that still needs one of these engines, none of which has a free slot. `onEnd` is called once:
   * with true when one has a free slot or is no longer usable, with false when waiting is useless. Returns a function
   * that ends the wait.
   */
  waitForRoom(engines: readonly HasCapacity[], deadlineMs: number, onEnd: (isWorthwhile: boolean) => void): () => void {
    const nowMs = this.#clock.now();
    const tolerableMs = this.#tolerableMs(this.#ballots.stoodMs(engines, nowMs));
    const stopWaiting = this.#ballots.wait(engines, nowMs, () => {
      cancelTimer();
      onEnd(true);
    });
    // Half of the remaining time is reserved for a decision without these engines.
    const cancelTimer = this.#clock.after(Math.min(tolerableMs, (deadlineMs - nowMs) / 2), () => {
      stopWaiting();
      onEnd(false);
    });
    // It was admitted because some engine had a free slot, which it does not use: the next request may use it.
    if (this.#standing.size > 0) queueMicrotask(() => this.serve());
    return () => {
      cancelTimer();
      stopWaiting();
    };
  }

  /**
   * Admits the requests for which there is capacity now. Call when there may be: an attempt has ended, an engine was
   * added.
   */
  serve(): void {
    this.#ballots.serve();
    // A Set's iterator also visits added items: a served queue is moved to the end, so all take turns.
    for (const queue of this.#standing) {
      const { first } = queue;
      if (first === undefined || first.capacity() <= this.#released) continue;
      this.#standing.delete(queue);
      this.#standing.add(queue);
      const nowMs = this.#clock.now();
      const { deadlineMs } = first.context;
      const answersPerMs = queue.throughput.rateAt(nowMs, queue.inside);
      if (nowMs >= deadlineMs) {
        first.end(outOfTime());
        continue;
      }
      // It has waited so long that its answer would be too late: an engine's work would be wasted.
      const answerMs = queue.inside / answersPerMs;
      if (answerMs > deadlineMs - nowMs) {
        first.end(tooLate(answerMs, queue.length / answersPerMs));
        continue;
      }
      queue.inside += 1;
      this.#released += 1;
      first.end(undefined);
    }
  }

  #refuseInVain(queue: WaitingQueue, context: CallContext, nowMs: number): void {
    const { deadlineMs } = context;
    throwIfCancelled(context);
    if (nowMs >= deadlineMs) throw outOfTime();
    const { maxQueue } = this.#options;
    if (this.#waiting >= maxQueue) this.#dropLate(nowMs);
    const answersPerMs = queue.throughput.rateAt(nowMs, queue.inside);
    const ahead = queue.ahead(context);
    const waitMs = (ahead + 1) / answersPerMs;
    // The last request is behind more requests than this one: its owner has more waiting.
    if (this.#waiting >= maxQueue && ahead < queue.length) {
      queue.last?.end(full('requests of other callers come first', queue.length / answersPerMs));
    }
    if (this.#waiting >= maxQueue) {
      throw full(`${this.#waiting} requests are waiting for an engine, the most this router lets`, waitMs);
    }
    // The first one always waits: its wait shows how fast the queue is now.
    if (queue.length === 0) return;
    if (waitMs > USABLE * this.#tolerableMs(nowMs - queue.stoodSinceMs)) {
      throw full(`every engine is busy, and the queue for them takes ${Math.round(waitMs)} ms`, waitMs);
    }
    // Little's law: the requests inside come first, and the request itself takes its time there, too.
    const answerMs = waitMs + queue.inside / answersPerMs;
    if (answerMs > USABLE * (deadlineMs - nowMs)) {
      throw tooLate(answerMs, waitMs);
    }
  }

  /** Maximum wait in a queue that has stood for this time. */
  #tolerableMs(stoodMs: number): number {
    const { maxWaitMs } = this.#options;
    return stoodMs > maxWaitMs ? maxWaitMs * STANDING_SHARE : maxWaitMs;
  }

  /** Their timers are late: the process is overloaded. */
  #dropLate(nowMs: number): void {
    for (const queue of this.#standing) {
      let next = queue.first;
      while (next !== undefined) {
        const waiter = next;
        ({ next } = waiter);
        if (nowMs >= waiter.context.deadlineMs) waiter.end(outOfTime());
      }
    }
  }

  #wait(queue: WaitingQueue, capacity: () => number, context: CallContext, nowMs: number): Promise<void> {
    const { maxWaitMs } = this.#options;
    const leftMs = context.deadlineMs - nowMs;
    if (queue.length === 0) {
      queue.stoodSinceMs = nowMs;
      this.#standing.add(queue);
    }
    this.#waiting += 1;
    return new Promise<void>((resolve, reject) => {
      const waiter = new Waiter(context, capacity, (_, error) => {
        queue.remove(waiter);
        if (queue.length === 0) this.#standing.delete(queue);
        this.#waiting -= 1;
        if (error === undefined) resolve();
        else reject(error);
      });
      const onTimer = (): void => waiter.end(leftMs <= maxWaitMs ? outOfTime() : this.#waitedLong(queue));
      waiter.stopTimer = this.#clock.after(Math.min(maxWaitMs, leftMs), onTimer);
      queue.add(waiter);
      // The caller continues and sends directly after this.
    }).then(() => {
      this.#released -= 1;
    });
  }

  #waitedLong(queue: WaitingQueue): RouterError {
    const waitMs = queue.length / queue.throughput.rateAt(this.#clock.now(), queue.inside);
    return full(`no engine had room for ${this.#options.maxWaitMs} ms`, waitMs);
  }

  #queueOf(model: object): WaitingQueue {
    let queue = this.#queues.get(model);
    if (queue === undefined) {
      queue = new WaitingQueue();
      this.#queues.set(model, queue);
    }
    return queue;
  }
}

/**
 * Number of requests that could be sent now, each to one engine. Infinity if no engine is usable, because then waiting
 * is useless.
 */
export function freeSlots(engines: readonly HasCapacity[]): number {
  let free = 0;
  let isAnyAble = false;
  for (const engine of engines) {
    if (!engine.isAvailable) continue;
    isAnyAble = true;
    free += Math.max(0, engine.availableSlots);
  }
  return isAnyAble ? free : Infinity;
}

function full(what: string, waitMs: number): RouterError {
  const retryAfterMs = Math.ceil(Math.min(MAX_RETRY_AFTER_MS, Math.max(MIN_RETRY_AFTER_MS, waitMs)));
  const message = `${what}; try again in ${retryAfterMs} ms, or add engines`;
  return new RouterError('ROUTER_FULL', message, { retryAfterMs, lack: 'ENGINES' });
}

function tooLate(answerMs: number, waitMs: number): RouterError {
  return full(`every engine is busy, and an answer takes ${Math.round(answerMs)} ms, longer than you wait`, waitMs);
}

function outOfTime(): RouterError {
  return deadlinePassed('an engine had room');
}
