// Admission: a request goes on while an engine has capacity, waits its turn while none has, and is refused at once where
// waiting would be in vain.
//
// A queue for each model, because only engines that hold it count and because each has its own throughput. In a queue callers
// take turns, and each caller's requests are first come, first served: adaptive LIFO (Maurer, "Fail at scale", 2015) saves those that come last where the queue is so long
// that the first are lost anyway. Here no request waits that would be lost, and LIFO would only refuse late instead of at
// once. What does help is that article's other half, CoDel's idea (Nichols and Jacobson, 2012): a queue is there for
// bursts. One that has stood for long is allowed a short wait only, for a standing queue adds time and no answers.
import { deadlinePassed, throwIfCancelled } from '../core/call.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import { type HasCapacity, RoomQueue } from './room-queue.ts';
import { Waiter, WaitingQueue } from './waiting-queue.ts';

export interface AdmissionOptions {
  /** Requests waiting at once, over all models; 0: a request that finds no capacity is refused. */
  readonly maxQueue: number;
  /** No request waits longer, milliseconds. */
  readonly maxWaitMs: number;
}

export interface Clock {
  now(): number;
  /** Calls `run` later; returns what cancels that. */
  after(ms: number, run: () => void): () => void;
}

/** Part of the maximum that one may wait in a line that has stood longer than the maximum. */
const STANDING_SHARE = 0.1;
/** Estimates err: who would use up more than this part of its time is refused. */
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
  /** Those in which a request waits, the next to be served first. They are few, one for each model. */
  readonly #standing = new Set<WaitingQueue>();
  #waiting = 0;
  /** Let go, but not sent yet: what they will take is still counted as free. */
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
   * Undefined: go on now, without a break. A promise: wait for it; it rejects with ROUTER_FULL, DEADLINE_EXCEEDED or
   * what the signal was aborted with. Throws ROUTER_FULL. A request that got in calls `leave` once, however it ends; another
   * does not. `capacity`: how many requests could be sent now; see `freeSlots`.
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

  /** How many of a group may go on now, without a break; the others are to call `enter`, each for itself. */
  enterUpTo(model: object, capacity: () => number, wanted: number): number {
    const queue = this.#queueOf(model);
    const room = queue.length > 0 ? 0 : Math.max(0, Math.min(wanted, capacity() - this.#released));
    if (room > 0 && queue.throughput.isRunning) queue.throughput.stop(this.#clock.now());
    queue.inside += room;
    return room;
  }

  /** Of a request that got in. One that ran out of time, or was cancelled, is no sign of how fast the engines are. */
  leave(model: object, isAnswered: boolean): void {
    const queue = this.#queueOf(model);
    queue.inside -= 1;
    if (isAnswered && queue.throughput.isRunning) queue.throughput.recordAnswer(this.#clock.now());
    this.serve();
  }

  /**
   * Of a vote that was let in and still wants one of these engines, none of which has room. `onEnd` is called once: with
   * true when one has room or may not be asked any more, with false when waiting longer is in vain. Returns what ends the
   * waiting.
   */
  waitForRoom(engines: readonly HasCapacity[], deadlineMs: number, onEnd: (isWorthwhile: boolean) => void): () => void {
    const nowMs = this.#clock.now();
    const tolerableMs = this.#tolerableMs(this.#ballots.stoodMs(engines, nowMs));
    const stopWaiting = this.#ballots.wait(engines, nowMs, () => {
      cancelTimer();
      onEnd(true);
    });
    // Half of the time that is left is for what may still be decided without these engines.
    const cancelTimer = this.#clock.after(Math.min(tolerableMs, (deadlineMs - nowMs) / 2), () => {
      stopWaiting();
      onEnd(false);
    });
    // It was let in because some engine had room, and does not want that one: the next request may.
    if (this.#standing.size > 0) queueMicrotask(() => this.serve());
    return () => {
      cancelTimer();
      stopWaiting();
    };
  }

  /** Lets in those that there is capacity for now. To be called when there may be: an attempt has ended, an engine has come. */
  serve(): void {
    this.#ballots.serve();
    // Set's iterator comes to what is added meanwhile: a queue that was served goes to the end, and so all take turns.
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
      // It has waited so long that its answer would come too late: an engine would work in vain.
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
    // The last one has more before it than this one: its owner has more waiting.
    if (this.#waiting >= maxQueue && ahead < queue.length) {
      queue.last?.end(full('requests of other callers come first', queue.length / answersPerMs));
    }
    if (this.#waiting >= maxQueue) {
      throw full(`${this.#waiting} requests are waiting for an engine, the most this router lets`, waitMs);
    }
    // The first one waits in any case: its waiting is what shows how fast the queue is now.
    if (queue.length === 0) return;
    if (waitMs > USABLE * this.#tolerableMs(nowMs - queue.stoodSinceMs)) {
      throw full(`every engine is busy, and the queue for them takes ${Math.round(waitMs)} ms`, waitMs);
    }
    // Little's law: what is inside comes first, and the request itself takes its time there, too.
    const answerMs = waitMs + queue.inside / answersPerMs;
    if (answerMs > USABLE * (deadlineMs - nowMs)) {
      throw tooLate(answerMs, waitMs);
    }
  }

  /** How long a request may wait in a queue that has stood for so long. */
  #tolerableMs(stoodMs: number): number {
    const { maxWaitMs } = this.#options;
    return stoodMs > maxWaitMs ? maxWaitMs * STANDING_SHARE : maxWaitMs;
  }

  /** Their timers are late: the process has more to do than it can. */
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
      // The caller goes on, and sends, directly after this.
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
 * How many requests could be sent now, each to one engine. Where no engine may be asked at all there is nothing to wait
 * for: Infinity.
 */
export function freeSlots(engines: readonly HasCapacity[]): number {
  let free = 0;
  let isAnyAble = false;
  for (const engine of engines) {
    if (!engine.isAvailable) continue;
    isAnyAble = true;
    if (engine.availableSlots > 0) free += engine.availableSlots;
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
