// Refuses requests while this process has too little CPU to answer them in time. Requests then wait in the kernel's buffers,
// where nothing else sees them. A caller's deadline does not help: gRPC sends it as a duration, which starts when the
// router reads it. Two rules:
//
//   standstill   The event loop did not turn for STANDSTILL_MS or more (a stopped process, a paused virtual machine). Until
//                the loop is idle again, a request is refused if its caller waits no longer than the loop stood still: it may
//                have been sent that long ago.
//   saturation   The loop was never idle for SATURATED_AFTER_MS: a standing queue, and not a burst (CoDel: Nichols and
//                Jacobson, 2012). Until the loop is idle again, a request is refused if those in flight take longer to end
//                (Little's law) than a quarter of its caller's time, and than TARGET_MS.
import { RouterError } from '../core/errors.ts';

export interface LoopClock {
  now(): number;
  /** Total idle time of the event loop, milliseconds. */
  idleMs(): number;
  /** Calls `run` repeatedly; returns a function that stops it. */
  every(intervalMs: number, run: () => void): () => void;
}

const TICK_MS = 20;
const STANDSTILL_MS = 500;
/** Maximum time after a standstill for which requests are refused: later ones are not part of its backlog. */
const MAX_BACKLOG_MS = 1_000;
const WINDOW_MS = 250;
const SATURATED_AFTER_MS = 1_000;
/** A loop that is idle for a smaller share of a window is saturated. */
const IDLE_PART = 0.02;
const TARGET_MS = 250;
const CALLER_PART = 0.25;
/** This many may always be in flight: a low rate may also be low demand beside other work. */
const MIN_IN_FLIGHT = 64;
/** Weight of the newest window in the rate. */
const RATE_GAIN = 0.5;
const MIN_RETRY_AFTER_MS = 100;
const MAX_RETRY_AFTER_MS = 1_000;

const REAL_CLOCK: LoopClock = {
  now: () => performance.now(),
  idleMs: () => performance.eventLoopUtilization().idle,
  every: (intervalMs, run) => {
    const timer = setInterval(run, intervalMs).unref();
    return () => clearInterval(timer);
  },
};

export class CpuOverload {
  readonly #clock: LoopClock;
  #stop: () => void = () => undefined;
  /** When the next tick is due; Infinity before `start`. */
  #dueMs = Infinity;
  #idleMs = 0;
  #standstillMs = 0;
  #backlogUntilMs = -Infinity;
  #windowSinceMs = 0;
  #idleAtWindowMs = 0;
  #endedInWindow = 0;
  #saturatedSinceMs = Infinity;
  /** Rate of ending requests, per millisecond. */
  #rate = 0;
  #isSaturated = false;

  constructor(clock: LoopClock = REAL_CLOCK) {
    this.#clock = clock;
  }

  start(): void {
    const nowMs = this.#clock.now();
    this.#dueMs = nowMs + TICK_MS;
    this.#idleMs = this.#clock.idleMs();
    this.#beginWindow(nowMs);
    this.#stop = this.#clock.every(TICK_MS, () => this.#tick());
  }

  stop(): void {
    this.#stop();
    this.#dueMs = Infinity;
  }

  /** Why a request is refused now; undefined: it is not. `inFlight`: admitted requests that have not ended. */
  refusal(inFlight: number, deadlineMs: number): RouterError | undefined {
    const nowMs = this.#clock.now();
    // After a standstill, requests may be read before the timer runs.
    const lateMs = nowMs - this.#dueMs;
    const stoodMs = lateMs >= STANDSTILL_MS ? lateMs : nowMs < this.#backlogUntilMs ? this.#standstillMs : 0;
    if (stoodMs > 0 && deadlineMs - nowMs <= stoodMs) return standstill(stoodMs);
    if (!this.#isSaturated || inFlight < MIN_IN_FLIGHT || this.#rate === 0) return undefined;
    const waitMs = inFlight / this.#rate;
    return waitMs > Math.max(TARGET_MS, CALLER_PART * (deadlineMs - nowMs)) ? saturated(waitMs) : undefined;
  }

  /** Call when an admitted request has ended. */
  recordEnd(): void {
    this.#endedInWindow += 1;
  }

  #tick(): void {
    const nowMs = this.#clock.now();
    const lateMs = nowMs - this.#dueMs;
    this.#dueMs = nowMs + TICK_MS;
    const idleMs = this.#clock.idleMs();
    const wasIdle = idleMs > this.#idleMs;
    this.#idleMs = idleMs;
    if (lateMs >= STANDSTILL_MS) {
      this.#standstillMs = lateMs;
      this.#backlogUntilMs = nowMs + Math.min(lateMs, MAX_BACKLOG_MS);
      this.#beginWindow(nowMs); // the window says nothing about the rate
      return;
    }
    if (wasIdle) this.#backlogUntilMs = -Infinity; // everything that had arrived was read
    if (nowMs - this.#windowSinceMs >= WINDOW_MS) this.#endWindow(nowMs);
  }

  #endWindow(nowMs: number): void {
    const windowMs = nowMs - this.#windowSinceMs;
    const rate = this.#endedInWindow / windowMs;
    this.#rate = this.#rate === 0 ? rate : this.#rate + RATE_GAIN * (rate - this.#rate);
    const isIdle = this.#idleMs - this.#idleAtWindowMs >= IDLE_PART * windowMs;
    if (isIdle) this.#saturatedSinceMs = Infinity;
    else this.#saturatedSinceMs = Math.min(this.#saturatedSinceMs, this.#windowSinceMs);
    this.#isSaturated = nowMs - this.#saturatedSinceMs >= SATURATED_AFTER_MS;
    this.#beginWindow(nowMs);
  }

  #beginWindow(nowMs: number): void {
    this.#windowSinceMs = nowMs;
    this.#idleAtWindowMs = this.#idleMs;
    this.#endedInWindow = 0;
  }
}

function standstill(stoodMs: number): RouterError {
  return full(`it stood still for ${Math.round(stoodMs)} ms, and your request may have waited as long`, stoodMs);
}

function saturated(waitMs: number): RouterError {
  return full(`those in flight take about ${Math.round(waitMs)} ms`, TARGET_MS);
}

function full(what: string, waitMs: number): RouterError {
  const retryAfterMs = Math.round(Math.min(MAX_RETRY_AFTER_MS, Math.max(MIN_RETRY_AFTER_MS, waitMs)));
  const message = `the router has too little CPU: ${what}; try again in ${retryAfterMs} ms, or give the router more CPU`;
  return new RouterError('ROUTER_FULL', message, { retryAfterMs, lack: 'CPU' });
}
