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

export interface CallerCounts {
  calls: number;
  refused: number;
}

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
    return this.#refuse(`has requests of more than ${this.#limits.maxBytes} bytes under way`, 'max_bytes', RETRY_MS);
  }

  /** For a batch that is arriving: returns the error if this many items will be refused. Charges nothing. */
  foresee(items: number): RouterError | undefined {
    const { maxItems } = this.#limits;
    if (maxItems > 0 && this.#items > 0 && this.#items + items > maxItems) return this.#tooManyItems();
    const waitMs = this.#bucket?.waitMs(items - 1) ?? 0;
    return items > 1 && waitMs > 0 ? this.#tooFast(waitMs) : undefined;
  }

  /**
   * Charges the items of one message. With `isFirstPaid` the call has already paid for one. Throws if refused; else
   * `left` must be called once.
   */
  enter(items: number, isFirstPaid: boolean): void {
    const { maxItems } = this.#limits;
    // A single message always fits: the message limits bound it.
    if (maxItems > 0 && this.#items > 0 && this.#items + items > maxItems) throw this.#tooManyItems();
    const refusal = this.#charge(isFirstPaid ? items - 1 : items);
    if (refusal !== undefined) throw refusal;
    this.#items += items;
  }

  left(items: number): void {
    this.#items -= items;
  }

  #charge(requests: number): RouterError | undefined {
    if (this.#bucket === undefined || requests <= 0) return undefined;
    const waitMs = this.#bucket.take(requests);
    return waitMs === 0 ? undefined : this.#tooFast(waitMs);
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
