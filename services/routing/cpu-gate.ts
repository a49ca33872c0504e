// Refuses requests while this process has too little CPU to answer them in time. Its event loop is then the queue: how late a
// timer comes is how long whatever the loop reads now may have waited in the kernel's buffers, where nothing else sees it. A
// caller's deadline is of no help: gRPC sends it as a duration, and it begins anew when the router reads it.
//
//   stood still   the loop has not turned for longer than a caller waits: the request is refused, for its caller may have
//                 left. After a pause of ten seconds most of what has piled up has no caller any more. Whoever waits longer
//                 is served.
//   saturated     the loop is never idle, and late: a standing queue (CoDel: Nichols and Jacobson, 2012). Then only so many
//                 requests may be under way as the router ends in TARGET_MS (Little's law). The limit grows again while
//                 the loop keeps up. A late turn of a loop that is idle at times, as of a garbage collection, changes nothing.
import { RouterError } from '../core/errors.ts';

export interface CpuClock {
  now(): number;
  /** How long the event loop has waited for something to do, so far, milliseconds. */
  idleMs(): number;
  /** Calls `run` again and again; returns what ends that. */
  every(ms: number, run: () => void): () => void;
}

/** How often the loop is looked at: often enough to tell a few late turns from one, seldom enough to cost nothing. */
const TICK_MS = 20;
const WINDOW_MS = 200;
const LEAST_TICKS = 2;
/** What a request that comes at any moment waits on average, from which on the loop is late. */
const LATE_MS = 10;
/** Part of the time, below which the loop is never idle. */
const IDLE = 0.05;
/** A turn that comes so late is a standstill: much has piled up. */
const STANDSTILL_MS = 500;
/** By then what has piled up is read, or is a standing queue. */
const MAX_CATCHING_UP_MS = 1_000;
/** What the requests under way may take, of those that a saturated loop lets in. */
const TARGET_MS = 100;
/** Always let in: the rate says what is asked, not what could be done, where little is asked of a busy machine. */
const MIN_LIMIT = 16;
const GROWTH = 1.25;
/** What is left of the known rate after a window in which fewer requests ended. */
const FADING = 0.7;
/** Above this, the limit is none. */
const MAX_LIMIT = 1_000_000;
const MIN_RETRY_AFTER_MS = 100;
const MAX_RETRY_AFTER_MS = 1_000;

const REAL_CLOCK: CpuClock = {
  now: () => performance.now(),
  idleMs: () => performance.eventLoopUtilization().idle,
  every: (ms, run) => {
    const timer = setInterval(run, ms).unref();
    return () => clearInterval(timer);
  },
};

export class CpuGate {
  readonly #clock: CpuClock;
  #stop: () => void = () => undefined;
  /** When the next turn should come at the latest; Infinity: it is not looked at. */
  #dueMs = Infinity;
  #idleMs = 0;
  /** Until when what is read is refused, though the loop turns again. */
  #catchingUpMs = -Infinity;
  /** How long the loop stood still last. */
  #stoodStillMs = 0;
  #limit = Infinity;
  /** Requests that the router ends in a millisecond. */
  #rate = 0;
  // Made once: making an error costs more than refusing with it.
  #standstill: RouterError | undefined;
  #saturation: RouterError | undefined;

  // The window.
  #sinceMs = 0;
  #idleSinceMs = 0;
  #ticks = 0;
  /** What all waited that came at equal distances, in milliseconds squared. */
  #waits = 0;
  #ended = 0;

  constructor(clock: CpuClock = REAL_CLOCK) {
    this.#clock = clock;
  }

  start(): void {
    const nowMs = this.#clock.now();
    this.#dueMs = nowMs + TICK_MS;
    this.#idleMs = this.#clock.idleMs();
    this.#startWindow(nowMs);
    this.#stop = this.#clock.every(TICK_MS, () => this.#tick());
  }

  stop(): void {
    this.#stop();
    this.#dueMs = Infinity;
  }

  /** Requests that may be under way at once; Infinity: the loop keeps up. */
  get limit(): number {
    return this.#limit;
  }

  /** Whether the loop has been late within the last seconds: answers may have been here, and not been read. */
  get isLate(): boolean {
    return this.#limit < Infinity;
  }

  /** Why a request is to be refused that could be begun now: to be asked before anything is done for it. */
  refusal(inFlight: number, deadlineMs: number): RouterError | undefined {
    const nowMs = this.#clock.now();
    const stoodStillMs = Math.max(nowMs - this.#dueMs, nowMs < this.#catchingUpMs ? this.#stoodStillMs : 0);
    if (stoodStillMs > 0 && nowMs + stoodStillMs > deadlineMs) return (this.#standstill ??= stoodStill(stoodStillMs));
    if (inFlight >= this.#limit) return (this.#saturation ??= saturated(this.#limit));
    return undefined;
  }

  /** Of each request that was let in. */
  ended(): void {
    this.#ended += 1;
  }

  #tick(): void {
    const nowMs = this.#clock.now();
    const lateMs = nowMs - this.#dueMs;
    this.#dueMs = nowMs + TICK_MS;
    const idleMs = this.#clock.idleMs();
    const wasIdle = idleMs > this.#idleMs;
    this.#idleMs = idleMs;
    if (lateMs > STANDSTILL_MS) {
      this.#stoodStillMs = lateMs;
      this.#catchingUpMs = nowMs + Math.min(lateMs, MAX_CATCHING_UP_MS);
      this.#standstill = undefined;
      this.#startWindow(nowMs); // says nothing of how fast it works
      return;
    }
    // Before it waits for something to do, a loop reads all there is.
    if (wasIdle) {
      this.#catchingUpMs = -Infinity;
      this.#stoodStillMs = 0;
      this.#standstill = undefined;
    }
    this.#ticks += 1;
    if (lateMs > 0) this.#waits += lateMs ** 2 / 2;
    if (nowMs - this.#sinceMs >= WINDOW_MS && this.#ticks >= LEAST_TICKS) this.#judge(nowMs);
  }

  #judge(nowMs: number): void {
    const elapsedMs = nowMs - this.#sinceMs;
    const isNeverIdle = this.#idleMs - this.#idleSinceMs < IDLE * elapsedMs;
    this.#rate = Math.max(this.#ended / elapsedMs, this.#rate * FADING);
    if (isNeverIdle && this.#waits / elapsedMs > LATE_MS) this.#limit = Math.max(MIN_LIMIT, this.#rate * TARGET_MS);
    else if (this.#limit < MAX_LIMIT) this.#limit *= GROWTH;
    else this.#limit = Infinity;
    this.#saturation = undefined;
    this.#startWindow(nowMs);
  }

  #startWindow(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#idleSinceMs = this.#idleMs;
    this.#ticks = 0;
    this.#waits = 0;
    this.#ended = 0;
  }
}

function stoodStill(lateMs: number): RouterError {
  return full(`it stood still for ${Math.round(lateMs)} ms, and your request may have waited as long`, lateMs);
}

function saturated(limit: number): RouterError {
  return full(`it works on ${Math.floor(limit)} requests, as many as it can end in time`, TARGET_MS);
}

function full(what: string, waitMs: number): RouterError {
  const retryAfterMs = Math.round(Math.min(MAX_RETRY_AFTER_MS, Math.max(MIN_RETRY_AFTER_MS, waitMs)));
  const message = `this router has too little CPU: ${what}; try again in ${retryAfterMs} ms, or give it more CPU`;
  return new RouterError('ROUTER_FULL', message, { retryAfterMs, lack: 'CPU' });
}
