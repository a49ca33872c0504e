// One computation that several callers wait for. It is cancelled when the last of them has left, not before.
import { deadlinePassed } from '../core/call.ts';
import { Cancel } from '../core/cancel.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';

export type Ending<V> =
  { readonly error: undefined; readonly value: V } | { readonly error: RouterError; readonly value: undefined };

/** Maximum of setTimeout, milliseconds. Later deadlines are ignored. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class SingleFlight<V> {
  readonly data: Uint8Array;
  /** Of the computation: its leader's. */
  readonly deadlineMs: number;
  /** The leader's trace; empty: none. */
  readonly leaderTraceId: string;
  readonly #span: CallContext['span'];
  readonly #owner: CallContext['owner'];
  readonly #now: () => number;
  readonly #onClosed: () => void;
  readonly #cancel = new Cancel();
  readonly #waiters = new Set<(ending: Ending<V>) => void>();

  /** `onClosed` is called once, when no more callers may join, before the waiting callers get the result. */
  constructor(data: Uint8Array, leader: CallContext, now: () => number, onClosed: () => void) {
    this.data = data;
    this.deadlineMs = leader.deadlineMs;
    this.#span = leader.span;
    this.#owner = leader.owner;
    this.leaderTraceId = leader.span?.trace.traceId ?? '';
    this.#now = now;
    this.#onClosed = onClosed;
  }

  async run(compute: (context: CallContext) => Promise<V>): Promise<void> {
    this.end(await this.#endOf(compute));
  }

  /** For a leader that computes by itself. Call it once. */
  end(ending: Ending<V>): void {
    if (this.#cancel.aborted) return;
    this.#onClosed();
    for (const end of this.#waiters) end(ending);
  }

  /** The result of the computation. Rejects only if this caller is cancelled or its deadline passes. */
  join({ deadlineMs, signal }: CallContext): Promise<Ending<V>> {
    return new Promise((resolve, reject) => {
      const detach = (): void => {
        signal.removeEventListener('abort', onAbort);
        clearTimeout(timer);
        this.#waiters.delete(end);
      };
      const end = (ending: Ending<V>): void => {
        detach();
        resolve(ending);
      };
      const leave = (why: RouterError): void => {
        detach();
        reject(why);
        if (this.#waiters.size === 0) this.#abandon(why);
      };
      const onAbort = (): void => leave(RouterError.from(signal.reason));
      const onDeadline = (): void => leave(deadlinePassed('the answer was ready'));
      // If the computation's deadline comes first, that ends the wait.
      const leftMs = deadlineMs < this.deadlineMs ? deadlineMs - this.#now() : Infinity;
      const timer = leftMs <= MAX_TIMER_MS ? setTimeout(onDeadline, Math.max(0, leftMs)) : undefined;
      signal.addEventListener('abort', onAbort);
      this.#waiters.add(end);
    });
  }

  async #endOf(compute: (context: CallContext) => Promise<V>): Promise<Ending<V>> {
    try {
      const value = await compute({
        deadlineMs: this.deadlineMs,
        signal: this.#cancel,
        span: this.#span,
        owner: this.#owner,
      });
      return { error: undefined, value };
    } catch (thrown) {
      return { error: RouterError.from(thrown), value: undefined };
    }
  }

  #abandon(why: RouterError): void {
    this.#onClosed();
    this.#cancel.abort(why);
  }
}
