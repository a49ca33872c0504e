// One engine's circuit breaker: opossum's state machine, told each outcome after the fact.
//
// It counts in a window of its own making (`rotateBucketController`), so that the window can be emptied: after a recovery,
// what was before says nothing of the engine. The calls do not run inside it, because opossum knows two outcomes and the error table three: what is not the engine's fault
// must neither fill its statistics nor close a half-open breaker.
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
/** Parts of the window: it forgets one at a time. */
const BUCKETS = 10;
/** It also opens when requests fail in a row within its window: `minRequests` at least, over so long at least, milliseconds. */
const MIN_FAILING_MS = 100;
/** Reopened so soon after it has closed, or by the request that tried, it stays open twice as long as the last time. */
const RELAPSE_RESETS = 4;
/** The longest that it stays open, in `resetMs`. */
const MAX_RESETS = 16;
/** Of an engine that broke the protocol, which a trial that is answered does not show: both are longer. */
const FAULT_RELAPSE_RESETS = 64;
const MAX_FAULT_RESETS = 64;
/** opossum opens above its threshold, and a rate of 30 % may be 30.000000000000004. Ours opens at it. */
const THRESHOLD_SLACK = 1e-9;

export class Breaker {
  /** The newest changes, oldest first. */
  readonly events: BreakerEvent[] = [];
  readonly #circuit: CircuitBreaker<[BreakerOutcome], void>;
  readonly #window = new EventEmitter();
  readonly #forgetting: NodeJS.Timeout;
  #isProbing = false;
  #lastFailure = '';
  /** Failures since the last success, and when the first of them ended. */
  #failedInARow = 0;
  #failingSinceMs = 0;
  #closedAtMs = -Infinity;
  readonly #options: BreakerOptions;
  /** How long it stays open the next time: opossum reads it when it opens. */
  readonly #pause: { resetTimeout: number };
  /** How long it stayed open the last time. */
  #lastPauseMs = 0;
  /** The engine broke the protocol, and has not been clean for long since. */
  #isFaulty = false;
  #trippedBy: string | undefined;
  /** Of the request that failed last. */
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
      this.#onOpened = undefined;
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

  /** Before a request is sent; what it returns goes to `end`. */
  begin(): { readonly isProbe: boolean } {
    if (this.#circuit.closed) return ORDINARY;
    this.#isProbing = true;
    return PROBE;
  }

  /** `failure` names it, for the history; `onOpened` is called if this was one failure too many. */
  end(
    { isProbe }: { readonly isProbe: boolean },
    outcome: BreakerOutcome,
    failure: string,
    onOpened?: (why: string) => void,
  ): void {
    if (isProbe) this.#isProbing = false;
    // What was sent before the breaker opened says nothing about the engine as it is now.
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
    if (outcome === 'success' && this.#circuit.closed) this.#countSuccess();
    else this.#circuit.fire(outcome).catch(() => undefined);
  }

  /** As `fire` while it is closed, by the events that the circuit counts by: without its promises, which cost more than all else. */
  #countSuccess(): void {
    this.#circuit.emit('fire');
    this.#circuit.emit('success', undefined, 0);
  }

  /**
   * Opens it at once: the engine is known to be away. `isFault`: since it broke the protocol. One whose connection was only
   * lost gets no longer pauses: those between attempts to connect grow already.
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

  /** Why one failure more opens it, whatever the window says; empty: the window decides. */
  #whyAtOnce(failure: string): string {
    if (this.#circuit.halfOpen) return `the request that tried failed with ${failure}`;
    return this.#hasFailedTooOften() ? `${this.#failedInARow} requests in a row failed, the last with ${failure}` : '';
  }

  /** A window's share would take seconds to notice that an engine which answered well has stopped to answer at all. */
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

  /** Before it may open. */
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
