// The requests that wait for an engine that holds one model, first come, first served. A linked list: a request leaves it from
// wherever it stands, and nothing refers to it then (see core/slot-list.ts).
import type { CallContext } from '../core/inference.ts';
import { RouterError } from '../core/errors.ts';
import { ThroughputEstimator } from './throughput-estimator.ts';

/** One request that waits. It ends once: it may go on, or is refused. */
export class Waiter {
  previous: Waiter | undefined;
  next: Waiter | undefined;
  readonly context: CallContext;
  /** How many requests could be sent now. */
  readonly capacity: () => number;
  readonly #onEnd: (waiter: Waiter, error: RouterError | undefined) => void;
  readonly #onAbort = (): void => this.end(RouterError.from(this.context.signal.reason));
  /** Of its timer. */
  stopTimer: () => void = () => undefined;

  constructor(
    context: CallContext,
    capacity: () => number,
    onEnd: (waiter: Waiter, error: RouterError | undefined) => void,
  ) {
    this.context = context;
    this.capacity = capacity;
    this.#onEnd = onEnd;
    context.signal.addEventListener('abort', this.#onAbort);
  }

  /** Without `error`, it may go on. */
  end(error: RouterError | undefined): void {
    this.stopTimer();
    this.context.signal.removeEventListener('abort', this.#onAbort);
    this.#onEnd(this, error);
  }
}

export class WaitingQueue {
  readonly throughput = new ThroughputEstimator();
  /** Requests that were let in and have not left yet. */
  inside = 0;
  /** Since when a request has been waiting, if one is. */
  stoodSinceMs = 0;
  length = 0;
  first: Waiter | undefined;
  #last: Waiter | undefined;

  add(waiter: Waiter): void {
    waiter.previous = this.#last;
    if (this.#last === undefined) this.first = waiter;
    else this.#last.next = waiter;
    this.#last = waiter;
    this.length += 1;
  }

  /** It must be in this queue. */
  remove(waiter: Waiter): void {
    const { previous, next } = waiter;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    waiter.previous = undefined;
    waiter.next = undefined;
    this.length -= 1;
  }
}
