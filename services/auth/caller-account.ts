// The work in flight and the request rate of one caller. Without limits, a call costs a few additions.
import { RouterError } from '../core/errors.ts';
import { TokenBucket } from '../core/token-bucket.ts';

/** 0: no limit. */
export interface CallerLimits {
  /** Requests: each call, and each item of a batch or a stream. */
  readonly perS: number;
  readonly maxCalls: number;
  /** Items of batches and streams in flight. */
  readonly maxItems: number;
  /** Size of messages that arrive or are processed. */
  readonly maxBytes: number;
}

export const NO_LIMITS: CallerLimits = { perS: 0, maxCalls: 0, maxItems: 0, maxBytes: 0 };

export interface CallerCounts {
  calls: number;
  refused: number;
}

/**
 * A refusal costs the router some 40 µs, and its sender less. Above this rate the caller's connections are read more slowly,
 * so the rest of the flood waits on the caller's machine.
 */
const REFUSALS_PER_S = 1_000;
/** Refusals of this many milliseconds at that rate are allowed at once. */
const REFUSAL_BURST_MS = 250;
const REFUSAL_MS = 1_000 / REFUSALS_PER_S;
/** Data for calls that are already refused: each this many bytes counts as one refusal. */
const BYTES_PER_REFUSAL = 65_536;

/** Waiting requests of streams are sent in groups, at this interval: one by one, each would cost a write. */
const WAKE_MS = 5;

/** After this time a caller with too many requests in flight may try again, milliseconds. */
const RETRY_MS = 100;

/** The caller's name in setting `auth`; empty: not listed there. */
export function callerName(owner: object | undefined): string {
  return owner instanceof CallerAccount && owner.isNamed ? owner.name : '';
}

export class CallerAccount {
  /** Name of the caller, or its address. */
  readonly name: string;
  /** False: `name` is an address. */
  readonly isNamed: boolean;
  readonly #counts: CallerCounts;
  #limits: CallerLimits;
  #bucket: TokenBucket | undefined;
  /** No data is read from its connections before this time, on performance.now()'s clock. */
  restsUntilMs = -Infinity;
  /** Requests of streams that wait for the rate, oldest first. */
  readonly #waiting = new Set<() => void>();
  #isTimerSet = false;
  #calls = 0;
  #items = 0;
  #bytes = 0;

  constructor(name: string, limits: CallerLimits, counts: CallerCounts, isNamed = true) {
    this.name = name;
    this.isNamed = isNamed;
    this.#counts = counts;
    this.#limits = limits;
    this.configure(limits);
  }

  configure(limits: CallerLimits): void {
    if (limits.perS !== this.#limits.perS || this.#bucket === undefined) {
      this.#bucket = limits.perS === 0 ? undefined : new TokenBucket(limits.perS);
    }
    this.#limits = limits;
  }

  get isIdle(): boolean {
    return this.#calls === 0 && this.#items === 0;
  }

  /** Opens a call. Returns the error if it is refused; else `ended` must be called once. */
  begin(): RouterError | undefined {
    const { maxCalls } = this.#limits;
    this.#counts.calls += 1;
    if (maxCalls > 0 && this.#calls >= maxCalls) {
      return this.#refuse(`has ${maxCalls} calls open, the most`, 'max_calls', RETRY_MS);
    }
    const refusal = this.#charge(1);
    if (refusal === undefined) this.#calls += 1;
    return refusal;
  }

  /** Counts a refused call or part of a call, or a call that needs no caller. */
  unpaid(times = 1): void {
    const earliestMs = performance.now() - REFUSAL_BURST_MS;
    this.restsUntilMs = Math.max(this.restsUntilMs, earliestMs) + times * REFUSAL_MS;
  }

  discarded(bytes: number): void {
    this.unpaid(bytes / BYTES_PER_REFUSAL);
  }

  ended(): void {
    this.#calls -= 1;
  }

  /** Changes the number of bytes held. Returns false if that exceeds the limit. */
  hold(bytes: number): boolean {
    this.#bytes += bytes;
    const { maxBytes } = this.#limits;
    return maxBytes === 0 || bytes <= 0 || this.#bytes <= maxBytes;
  }

  /** The error for a call after `hold` returned false. */
  tooManyBytes(): RouterError {
    this.unpaid();
    return this.#refuse(`has requests of more than ${this.#limits.maxBytes} bytes under way`, 'max_bytes', RETRY_MS);
  }

  /** For a batch that is arriving: returns the error if this many items will be refused. Charges nothing. */
  foresee(items: number): RouterError | undefined {
    const { maxItems } = this.#limits;
    const waitMs = this.#bucket?.waitMs(items - 1) ?? 0;
    let refusal: RouterError | undefined;
    if (maxItems > 0 && this.#items > 0 && this.#items + items > maxItems) refusal = this.#tooManyItems();
    else if (items > 1 && waitMs > 0) refusal = this.#tooFast(waitMs);
    if (refusal !== undefined) this.unpaid();
    return refusal;
  }

  /**
   * Charges the items of one message. With `isFirstPaid` the call has already paid for one. Throws if refused; else
   * `left` must be called once.
   */
  enter(items: number, isFirstPaid: boolean): void {
    const { maxItems } = this.#limits;
    // A single message always fits: the message limits bound it.
    const isTooMany = maxItems > 0 && this.#items > 0 && this.#items + items > maxItems;
    const refusal = isTooMany ? this.#tooManyItems() : this.#charge(isFirstPaid ? items - 1 : items);
    if (refusal !== undefined) {
      this.unpaid();
      throw refusal;
    }
    this.#items += items;
  }

  /** Calls `run` as soon as the rate allows another request, which is charged then. That may be at once. */
  whenAllowed(run: () => void): void {
    if (this.#waiting.size === 0 && this.#take(1) === 0) run();
    else {
      this.#waiting.add(run);
      this.#wake();
    }
  }

  /** Cancels `whenAllowed`. */
  giveUp(run: () => void): void {
    this.#waiting.delete(run);
  }

  #wake(): void {
    if (this.#isTimerSet) return;
    this.#isTimerSet = true;
    setTimeout(
      () => {
        this.#isTimerSet = false;
        for (const run of this.#waiting) {
          if (this.#take(1) > 0) break;
          this.#waiting.delete(run);
          run();
        }
        if (this.#waiting.size > 0) this.#wake();
      },
      Math.max(WAKE_MS, this.#bucket?.waitMs() ?? 0),
    );
  }

  left(items: number): void {
    this.#items -= items;
  }

  #charge(requests: number): RouterError | undefined {
    const waitMs = this.#take(requests);
    return waitMs === 0 ? undefined : this.#tooFast(waitMs);
  }

  /** Returns 0 if they fit, else the delay until they do, milliseconds. */
  #take(requests: number): number {
    return requests > 0 ? (this.#bucket?.take(requests) ?? 0) : 0;
  }

  #tooFast(waitMs: number): RouterError {
    return this.#refuse(`may send ${this.#limits.perS} requests a second`, 'per_s', waitMs);
  }

  #tooManyItems(): RouterError {
    return this.#refuse(`has ${this.#items} requests in batches and streams under way`, 'max_items', RETRY_MS);
  }

  #refuse(what: string, setting: string, retryAfterMs: number): RouterError {
    this.#counts.refused += 1;
    const message = `caller ${this.name} ${what} (setting callers.${setting}); try again in ${retryAfterMs} ms`;
    return new RouterError('CALLER_LIMIT', message, {
      retryAfterMs,
      metadata: { caller: this.name, limit: `callers.${setting}` },
    });
  }
}
