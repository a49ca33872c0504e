// One engine's circuit breaker: opossum's state machine, which gets each outcome after the call.
//
// The window is ours (`rotateBucketController`), so that it can be emptied: after a recovery, earlier failures say
// nothing about the engine. Calls do not run inside the breaker, because opossum has two outcomes and our error table
// three: a failure that is not the engine's fault must neither count nor close a half-open breaker.
import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';
import type { BreakerOutcome } from '../core/errors.ts';

export type BreakerState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';

export interface BreakerEvent {
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly state: BreakerState;
  readonly why: string;
}

export interface BreakerOptions {
  readonly failurePercent: number;
  readonly minRequests: number;
  readonly windowMs: number;
  readonly resetMs: number;
}

const MAX_EVENTS = 32;
/** Parts of the window; the oldest is dropped at a time. */
const BUCKETS = 10;
/**
 * It also opens after consecutive failures within the window: at least `minRequests`, over at least this time,
 * milliseconds.
 */
const MIN_FAILING_MS = 100;
/**
 * If it reopens within this time after it closed, or by the trial request, it stays open twice as long as the last
 * time.
 */
const RELAPSE_RESETS = 4;
/** Maximum time it stays open, in multiples of `resetMs`. */
const MAX_RESETS = 16;
/** Longer values for an engine that broke the protocol, since an answered trial does not prove that it stopped. */
const FAULT_RELAPSE_RESETS = 64;
const MAX_FAULT_RESETS = 64;
/** opossum opens above its threshold; ours opens at the threshold. A rate of 30 % may be 30.000000000000004. */
const THRESHOLD_SLACK = 1e-9;

export class Breaker {
  /** The most recent changes, oldest first. */
  readonly events: BreakerEvent[] = [];
  readonly #circuit: CircuitBreaker<[BreakerOutcome], void>;
  readonly #window = new EventEmitter();
  readonly #forgetting: NodeJS.Timeout;
  #isProbing = false;
  #lastFailure = '';
  /** Number of failures since the last success, and the time of the first. */
  #failedInARow = 0;
  #failingSinceMs = 0;
  #closedAtMs = -Infinity;
  readonly #options: BreakerOptions;
  /** Time it will stay open. opossum reads it when the breaker opens. */
  readonly #pause: { resetTimeout: number };
  /** Time it stayed open the last time. */
  #lastPauseMs = 0;
  /** The engine broke the protocol recently. */
  #isFaulty = false;
  #trippedBy: string | undefined;
  /** Kind of the last failure. */
  #onOpened: ((why: string) => void) | undefined;

  constructor(options: BreakerOptions, onEvent: (event: BreakerEvent) => void = () => undefined) {
    this.#options = options;
    const circuitOptions = {
      timeout: false as const,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      errorThresholdPercentage: options.failurePercent - THRESHOLD_SLACK,
      volumeThreshold: options.minRequests,
      rollingCountBuckets: BUCKETS,
      rotateBucketController: this.#window,
      resetTimeout: options.resetMs,
    };
    this.#pause = circuitOptions;
    this.#circuit = new CircuitBreaker(settle, circuitOptions);
    this.#forgetting = setInterval(() => this.#window.emit('rotate'), options.windowMs / BUCKETS).unref();
    const note = (state: BreakerState, why: string): void => {
      const event = { timeMs: Date.now(), state, why };
      this.events.push(event);
      if (this.events.length > MAX_EVENTS) this.events.shift();
      onEvent(event);
    };
    this.#circuit.on('open', () => {
      this.#lastPauseMs = this.#pause.resetTimeout;
      const { failures, fires } = this.#circuit.stats;
      const counted = `${failures} of ${fires} requests failed within ${options.windowMs} ms`;
      const why = this.#trippedBy ?? `${counted}, the last with ${this.#lastFailure}`;
      note('OPEN', why);
      if (this.#trippedBy === undefined) this.#onOpened?.(why);
      this.#trippedBy = undefined;
    });
    this.#circuit.on('halfOpen', () => {
      this.#isProbing = false;
      note('HALF_OPEN', `${this.#pause.resetTimeout} ms have passed; one request may try`);
    });
    this.#circuit.on('close', () => {
      for (let bucket = 0; bucket < BUCKETS; bucket += 1) this.#window.emit('rotate');
      this.#closedAtMs = performance.now();
      note('CLOSED', 'the request that tried was answered');
    });
  }

  get state(): BreakerState {
    if (this.#circuit.closed) return 'CLOSED';
    return this.#circuit.halfOpen ? 'HALF_OPEN' : 'OPEN';
  }

  /** Whether a request may be sent now. */
  get allowsRequest(): boolean {
    return this.#circuit.closed || (this.#circuit.halfOpen && !this.#isProbing);
  }

  /** Call before a request is sent, and pass the result to `end`. */
  begin(): { readonly isProbe: boolean } {
    if (this.#circuit.closed) return ORDINARY;
    this.#isProbing = true;
    return PROBE;
  }

  /** `failure`: its name, for the history. `onOpened`: called if this failure opened the breaker. */
  end(
    { isProbe }: { readonly isProbe: boolean },
    outcome: BreakerOutcome,
    failure: string,
    onOpened?: (why: string) => void,
  ): void {
    if (isProbe) this.#isProbing = false;
    // A request that was sent before the breaker opened says nothing about the engine's current state.
    if (outcome === 'ignore' || (!isProbe && !this.#circuit.closed)) return;
    if (outcome === 'success') this.#failedInARow = 0;
    else {
      this.#lastFailure = failure;
      this.#onOpened = onOpened;
      this.#setPause();
      const why = this.#whyAtOnce(failure);
      if (why !== '') {
        this.#open(why);
        onOpened?.(why);
        return;
      }
    }
    // While closed, a success only counts as a request. The promises of `fire` would cost more than everything else.
    if (outcome === 'success' && this.#circuit.closed) this.#circuit.emit('fire');
    else this.#circuit.fire(outcome).catch(() => undefined);
  }

  /**
   * Opens it at once, because the engine is lost. `isFault`: because it broke the protocol. After a mere connection
   * loss, the open time does not grow: the delay between attempts to connect grows already.
   */
  trip(why: string, isFault = false): void {
    if (!this.#circuit.opened) {
      if (isFault || this.#isFaulty) this.#setPause();
      else this.#pause.resetTimeout = this.#options.resetMs;
    }
    this.#isFaulty ||= isFault;
    this.#open(why);
  }

  #open(why: string): void {
    if (this.#circuit.opened) return;
    this.#trippedBy = why;
    this.#circuit.open();
  }

  /** Why one more failure opens it, regardless of the window; empty: the window decides. */
  #whyAtOnce(failure: string): string {
    if (this.#circuit.halfOpen) return `the request that tried failed with ${failure}`;
    return this.#hasFailedTooOften() ? `${this.#failedInARow} requests in a row failed, the last with ${failure}` : '';
  }

  /** The failure rate of the window would take seconds to detect that a good engine stopped answering completely. */
  #hasFailedTooOften(): boolean {
    const nowMs = performance.now();
    const { minRequests, windowMs } = this.#options;
    if (this.#failedInARow === 0 || nowMs - this.#failingSinceMs > windowMs) {
      this.#failedInARow = 0;
      this.#failingSinceMs = nowMs;
    }
    this.#failedInARow += 1;
    return this.#failedInARow >= minRequests && nowMs - this.#failingSinceMs >= MIN_FAILING_MS;
  }

  /** Call before it may open. */
  #setPause(): void {
    const { resetMs } = this.#options;
    const cleanMs = this.#circuit.halfOpen ? 0 : performance.now() - this.#closedAtMs;
    const isRelapse = cleanMs < resetMs * (this.#isFaulty ? FAULT_RELAPSE_RESETS : RELAPSE_RESETS);
    if (!isRelapse) this.#isFaulty = false;
    const mostMs = resetMs * (this.#isFaulty ? MAX_FAULT_RESETS : MAX_RESETS);
    this.#pause.resetTimeout = isRelapse ? Math.min(2 * this.#lastPauseMs, mostMs) : resetMs;
  }

  /** Releases its timers. */
  stop(): void {
    clearInterval(this.#forgetting);
    this.#circuit.shutdown();
  }
}

const ORDINARY = { isProbe: false } as const;
const PROBE = { isProbe: true } as const;

function settle(outcome: BreakerOutcome): Promise<void> {
  return outcome === 'success' ? Promise.resolve() : Promise.reject(new Error(outcome));
}
