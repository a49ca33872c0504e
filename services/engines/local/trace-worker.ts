// The main thread's side of traces: one at a time, in a thread that exists only while traces are requested.
import { RouterError } from '../../core/errors.ts';
import type { CallContext } from '../../core/inference.ts';
import type { Trace } from '../engine.ts';
import { IdleThread } from './idle-thread.ts';
import type { Failure, TraceRun } from './messages.ts';

export class TraceWorker {
  readonly #stopping = new AbortController();
  /** Resolves when the last trace is done. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #thread = new IdleThread<TraceRun, Trace | Failure>(new URL('./trace-thread.ts', import.meta.url));

  /**
   * Each trace needs the memory of a running network, so they run one after another. Resolves with the thread's reply.
   */
  run(trace: TraceRun, { deadlineMs, signal }: CallContext): Promise<Trace | Failure> {
    const over = new AbortController();
    const { promise, resolve, reject } = Promise.withResolvers<Trace | Failure>();
    const end = (error: RouterError): void => {
      reject(error);
      over.abort();
    };
    const expire = (): void =>
      end(new RouterError('DEADLINE_EXCEEDED', 'the deadline passed before the trace was done'));
    const leave = (): void => end(new RouterError('CANCELLED', 'the caller no longer wants the trace'));
    const stop = (): void => end(new RouterError('DRAINING', 'the engine is stopping; ask another one'));
    // setTimeout takes at most 2³¹ − 1 ms; later deadlines are ignored.
    const leftMs = deadlineMs - performance.now();
    const timer = leftMs < 2 ** 31 ? setTimeout(expire, Math.max(0, leftMs)) : undefined;
    signal.addEventListener('abort', leave);
    this.#stopping.signal.addEventListener('abort', stop);
    if (signal.aborted) leave();
    if (this.#stopping.signal.aborted) stop();

    const work = this.#last.then(() => (over.signal.aborted ? undefined : this.#ask(trace, over.signal)));
    this.#last = work.then(
      (outcome) => outcome && resolve(outcome),
      (error: unknown) => reject(RouterError.from(error)),
    );
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
      this.#stopping.signal.removeEventListener('abort', stop);
    });
  }

  /** Ends the running trace, and resolves when the thread is gone. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#last;
    await this.#thread.end();
  }

  /** A run cannot be interrupted, so an aborted `signal` ends the thread. Then this resolves to undefined. */
  async #ask(trace: TraceRun, signal: AbortSignal): Promise<Trace | Failure | undefined> {
    const end = (): void => void this.#thread.end();
    signal.addEventListener('abort', end, { once: true });
    try {
      return await this.#thread.ask(trace);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw new RouterError('ENGINE_FAULT', `the trace failed: ${(error as Error).message}`);
    } finally {
      signal.removeEventListener('abort', end);
    }
  }
}
