// One computation that several callers wait for. It belongs to none of them: it is cancelled when the last of them has
// left, and no sooner.
import { deadlinePassed } from '../core/call.ts';
import { Cancel } from '../core/cancel.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';

export type Ending<V> =
  { readonly error: undefined; readonly value: V } | { readonly error: RouterError; readonly value: undefined };

/** setTimeout takes no more, milliseconds; deadlines beyond that are as good as none. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class SingleFlight<V> {
  readonly data: Uint8Array;
  /** Of the computation: its leader's. */
  readonly deadlineMs: number;
  /** Of the leader's trace; empty: it has none. */
  readonly leaderTraceId: string;
  readonly #span: CallContext['span'];
  readonly #owner: CallContext['owner'];
  readonly #now: () => number;
  readonly #onClosed: () => void;
  readonly #cancel = new Cancel();
  readonly #waiters = new Set<(ending: Ending<V>) => void>();

  /** `onClosed` is called once, when no caller may join any more, before the waiting callers get the result. */
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

  /** For a leader that computes by itself. To be called once. */
  end(ending: Ending<V>): void {
    if (this.#cancel.aborted) return;
    this.#onClosed();
    for (const end of this.#waiters) end(ending);
  }

  /** How the computation ends. Rejects only when this caller leaves: cancelled, or out of time. */
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
      // Where the computation's own deadline comes first, that one ends the waiting.
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
