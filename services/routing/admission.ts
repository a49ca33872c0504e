// What stands before planning: a request goes on while an engine has room, waits its turn while none has, and is refused
// at once where waiting would be in vain.
//
// A line for each model, because only engines that hold it count and because each has its own pace. A line is first
// come, first served: adaptive LIFO (Maurer, "Fail at scale", 2015) saves those who come last where the queue is so long
// that the first are lost anyway. Here nobody lines up who would be lost, and LIFO would only refuse late instead of at
// once. What does help is that article's other half, CoDel's idea (Nichols and Jacobson, 2012): a queue is there for
// bursts. One that has stood for long is allowed a short wait only, for a standing queue adds time and no answers.
import { deadlinePassed, throwIfCancelled } from '../core/call.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import { type HasRoom, RoomQueue } from './room-queue.ts';

export interface AdmissionOptions {
  /** Requests waiting at once, over all models; 0: whoever finds no room is refused. */
  readonly maxQueue: number;
  /** Nobody waits longer, milliseconds. */
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
  readonly #lines = new WeakMap<object, Line>();
  readonly #ballots = new RoomQueue();
  /** Those in which somebody waits, the next to be served first. */
  readonly #standing = new Set<Line>();
  #waiting = 0;
  /** Let go, but not sent yet: what they will take is not in `places` yet. */
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
   * what the signal was aborted with. Throws ROUTER_FULL. Who got in calls `leave` once, however it ends; who did not,
   * does not. `places`: how many requests could be sent now; see `freePlaces`.
   */
  enter(model: object, places: () => number, context: CallContext): Promise<void> | undefined {
    const line = this.#lineOf(model);
    if (line.waiters.size === 0 && places() > this.#released) {
      if (line.pace.isRunning) line.pace.stop(this.#clock.now());
      line.inside += 1;
      return undefined;
    }
    const nowMs = this.#clock.now();
    if (!line.pace.isRunning) line.pace.start(nowMs);
    this.serve();
    this.#refuseInVain(line, context, nowMs);
    return this.#lineUp(line, places, context, nowMs);
  }

  /** Of a request that got in. What ran out of time, or was cancelled, is no sign of how fast the engines are. */
  leave(model: object, isAnswered: boolean): void {
    const line = this.#lineOf(model);
    line.inside -= 1;
    if (isAnswered && line.pace.isRunning) line.pace.left(this.#clock.now());
    this.serve();
  }

  /**
   * Of a vote that was let in and still wants one of these engines, none of which has room. `onEnd` is called once: with
   * true when one has room or may not be asked any more, with false when waiting longer is in vain. Returns what ends the
   * waiting.
   */
  waitForRoom(engines: readonly HasRoom[], deadlineMs: number, onEnd: (isWorthwhile: boolean) => void): () => void {
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
    return () => {
      cancelTimer();
      stopWaiting();
    };
  }

  /** Lets in whom there is room for now. To be called when there may be: an attempt has ended, an engine has come. */
  serve(): void {
    this.#ballots.serve();
    // Set's iterator comes to what is added meanwhile: a line that was served goes to the end, and so all take turns.
    for (const line of this.#standing) {
      const [first] = line.waiters;
      if (first === undefined || first.places() <= this.#released) continue;
      this.#standing.delete(line);
      this.#standing.add(line);
      const nowMs = this.#clock.now();
      const answersPerMs = line.pace.at(nowMs, line.inside);
      if (nowMs >= first.deadlineMs) {
        first.end(outOfTime());
        continue;
      }
      // It has waited longer than was to be expected: an engine would work for nobody.
      const answerMs = line.inside / answersPerMs;
      if (answerMs > first.deadlineMs - nowMs) {
        first.end(tooLate(answerMs, line.waiters.size / answersPerMs));
        continue;
      }
      line.inside += 1;
      this.#released += 1;
      first.end(undefined);
    }
  }

  #refuseInVain(line: Line, context: CallContext, nowMs: number): void {
    const { deadlineMs } = context;
    throwIfCancelled(context);
    if (nowMs >= deadlineMs) throw outOfTime();
    const { maxQueue } = this.#options;
    if (this.#waiting >= maxQueue) this.#dropLate(nowMs);
    const answersPerMs = line.pace.at(nowMs, line.inside);
    const waitMs = (line.waiters.size + 1) / answersPerMs;
    if (this.#waiting >= maxQueue) {
      throw full(`${this.#waiting} requests are waiting for an engine, the most this router lets`, waitMs);
    }
    // The first one waits in any case: its waiting is what shows how fast the line is now.
    if (line.waiters.size === 0) return;
    if (waitMs > USABLE * this.#tolerableMs(nowMs - line.stoodSinceMs)) {
      throw full(`every engine is busy, and the queue for them takes ${Math.round(waitMs)} ms`, waitMs);
    }
    // Little's law: what is inside comes first, and the request itself takes its time there, too.
    const answerMs = waitMs + line.inside / answersPerMs;
    if (answerMs > USABLE * (deadlineMs - nowMs)) {
      throw tooLate(answerMs, waitMs);
    }
  }

  /** How long one may wait in a queue that has stood for so long. */
  #tolerableMs(stoodMs: number): number {
    const { maxWaitMs } = this.#options;
    return stoodMs > maxWaitMs ? maxWaitMs * STANDING_SHARE : maxWaitMs;
  }

  /** Their timers are late: the process has more to do than it can. */
  #dropLate(nowMs: number): void {
    for (const line of this.#standing) {
      for (const waiter of line.waiters) if (nowMs >= waiter.deadlineMs) waiter.end(outOfTime());
    }
  }

  #lineUp(line: Line, places: () => number, { deadlineMs, signal }: CallContext, nowMs: number): Promise<void> {
    const { maxWaitMs } = this.#options;
    if (line.waiters.size === 0) {
      line.stoodSinceMs = nowMs;
      this.#standing.add(line);
    }
    this.#waiting += 1;
    return new Promise<void>((resolve, reject) => {
      const end = (why: RouterError | undefined): void => {
        cancelTimer();
        signal.removeEventListener('abort', onAbort);
        line.waiters.delete(waiter);
        if (line.waiters.size === 0) this.#standing.delete(line);
        this.#waiting -= 1;
        if (why === undefined) resolve();
        else reject(why);
      };
      const waiter: Waiter = { deadlineMs, places, end };
      const onAbort = (): void => end(RouterError.from(signal.reason));
      const onTimer = (): void => end(deadlineMs - nowMs <= maxWaitMs ? outOfTime() : this.#waitedLong(line));
      const cancelTimer = this.#clock.after(Math.min(maxWaitMs, deadlineMs - nowMs), onTimer);
      signal.addEventListener('abort', onAbort);
      line.waiters.add(waiter);
      // The caller goes on, and sends, directly after this.
    }).then(() => {
      this.#released -= 1;
    });
  }

  #waitedLong(line: Line): RouterError {
    const waitMs = line.waiters.size / line.pace.at(this.#clock.now(), line.inside);
    return full(`no engine had room for ${this.#options.maxWaitMs} ms`, waitMs);
  }

  #lineOf(model: object): Line {
    let line = this.#lines.get(model);
    if (line === undefined) {
      line = new Line();
      this.#lines.set(model, line);
    }
    return line;
  }
}

interface Waiter {
  readonly deadlineMs: number;
  readonly places: () => number;
  /** Undefined: it may go on. */
  readonly end: (why: RouterError | undefined) => void;
}

class Line {
  /** In the order in which they came. */
  readonly waiters = new Set<Waiter>();
  readonly pace = new Pace();
  /** Got in and not left yet. */
  inside = 0;
  /** Since when somebody has been waiting, if anybody is. */
  stoodSinceMs = 0;
}

/** Forgets what is so old, milliseconds, but never more than one part in LEAST_MEMORY at once: few requests a second. */
const MEMORY_MS = 1_000;
const LEAST_MEMORY = 16;
/** Nothing is known any more when there was room for so long, milliseconds. */
const PAUSE_MS = 10_000;

/** How many requests leave in a millisecond while there is no room: what the engines can do, not what is asked of them. */
class Pace {
  isRunning = false;
  #left = 0;
  #ms = 0;
  /** Up to when #ms counts; when it stopped, while it does not run. */
  #lastMs = 0;

  /** There is no room from now on. What was known fades while there is. */
  start(nowMs: number): void {
    const kept = Math.max(0, 1 - (nowMs - this.#lastMs) / PAUSE_MS);
    this.#left *= kept;
    this.#ms *= kept;
    this.#lastMs = nowMs;
    this.isRunning = true;
  }

  stop(nowMs: number): void {
    this.#ms += nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    this.isRunning = false;
  }

  left(nowMs: number): void {
    const gapMs = nowMs - this.#lastMs;
    const kept = 1 - Math.min(gapMs / MEMORY_MS, 1 / LEAST_MEMORY);
    this.#left = this.#left * kept + 1;
    this.#ms = this.#ms * kept + gapMs;
    this.#lastMs = nowMs;
  }

  /**
   * The next one is as good as gone, so that a standstill is noticed. Where none has left yet, all inside are: they came
   * before those who wait, and who comes in a burst is not to be refused for want of knowledge.
   */
  at(nowMs: number, inside: number): number {
    const left = this.#left < 1 ? Math.max(1, inside) : this.#left + 1;
    return left / Math.max(this.#ms + nowMs - this.#lastMs, Number.MIN_VALUE);
  }
}

/**
 * How many requests could be sent now, each to one engine. Where no engine may be asked at all there is nothing to wait
 * for: Infinity.
 */
export function freePlaces(engines: readonly HasRoom[]): number {
  let free = 0;
  let isAnyAble = false;
  for (const engine of engines) {
    if (!engine.admits) continue;
    isAnyAble = true;
    if (engine.free > 0) free += engine.free;
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
