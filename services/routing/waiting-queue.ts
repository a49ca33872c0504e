// The requests that wait for an engine that holds one model: first come, first served for each owner, and owners take turns
// (start-time fair queueing, Goyal et al., 1996, with every request of one size). Each request has a round, the one after its
// owner's last; rounds are served in order. A linked list: a request leaves it from wherever it stands, and nothing refers to
// it then (see core/slot-list.ts).
import type { CallContext } from '../core/inference.ts';
import { RouterError } from '../core/errors.ts';
import { ThroughputEstimator } from './throughput-estimator.ts';

/** A waiting request. It ends once: admitted or refused. */
export class Waiter {
  previous: Waiter | undefined;
  next: Waiter | undefined;
  /** It is served after requests of earlier rounds. */
  round = 0;
  readonly context: CallContext;
  /** Number of requests that could be sent now. */
  readonly capacity: () => number;
  readonly #onEnd: (waiter: Waiter, error: RouterError | undefined) => void;
  readonly #onAbort = (): void => this.end(RouterError.from(this.context.signal.reason));
  /** Cancels its timer. */
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

  /** Without `error`, it is admitted. */
  end(error: RouterError | undefined): void {
    this.stopTimer();
    this.context.signal.removeEventListener('abort', this.#onAbort);
    this.#onEnd(this, error);
  }
}

export class WaitingQueue {
  readonly throughput = new ThroughputEstimator();
  /** Admitted requests that have not ended yet. */
  inside = 0;
  /** Time since which a request has been waiting, if one is. */
  stoodSinceMs = 0;
  length = 0;
  first: Waiter | undefined;
  last: Waiter | undefined;
  /** Round of the last request that left from the front. */
  #round = 0;
  /** For each waiting owner: its last round, and its number of waiting requests. */
  readonly #owners = new Map<object | undefined, { round: number; waiting: number }>();

  add(waiter: Waiter): void {
    const { owner } = waiter.context;
    const own = this.#owners.get(owner) ?? { round: 0, waiting: 0 };
    waiter.round = Math.max(this.#round, own.round) + 1;
    own.round = waiter.round;
    own.waiting += 1;
    this.#owners.set(owner, own);
    const before = this.#before(waiter.round);
    const after = before === undefined ? this.first : before.next;
    waiter.previous = before;
    waiter.next = after;
    if (before === undefined) this.first = waiter;
    else before.next = waiter;
    if (after === undefined) this.last = waiter;
    else after.previous = waiter;
    this.length += 1;
  }

  /** Number of requests before a new request of this owner. */
  ahead({ owner }: CallContext): number {
    if (this.#owners.size === 0 || (this.#owners.size === 1 && this.#owners.has(owner))) return this.length;
    const round = Math.max(this.#round, this.#owners.get(owner)?.round ?? 0) + 1;
    let count = this.length;
    for (let each = this.last; each !== undefined && each.round > round; each = each.previous) count -= 1;
    return count;
  }

  /** The last request of this round or an earlier one. */
  #before(round: number): Waiter | undefined {
    let each = this.last;
    while (each !== undefined && each.round > round) each = each.previous;
    return each;
  }

  /** Removes a request, which must be in this queue. */
  remove(waiter: Waiter): void {
    const { previous, next } = waiter;
    const { owner } = waiter.context;
    const own = this.#owners.get(owner)!;
    own.waiting -= 1;
    if (own.waiting === 0) this.#owners.delete(owner);
    if (previous === undefined) this.#round = waiter.round;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    waiter.previous = undefined;
    waiter.next = undefined;
    this.length -= 1;
  }
}
