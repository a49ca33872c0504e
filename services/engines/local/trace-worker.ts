// The main thread's side of traces: one at a time, in a thread that exists only while traces are requested.
import { RouterError } from '../../core/errors.ts';
import type { CallContext } from '../../core/inference.ts';
import type { Trace } from '../engine.ts';
import type { Failure, TraceRun } from './messages.ts';
import { Thread } from './thread.ts';

/** A thread without work is ended after this time, to free its memory. */
const IDLE_MS = 5_000;

export class TraceWorker {
  readonly #stopping = new AbortController();
  /** Resolves when the last trace is done. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  #worker: Thread | undefined;
  #idle: NodeJS.Timeout | undefined;

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
    clearTimeout(this.#idle);
    await this.#worker?.terminate();
  }

  /** A run cannot be interrupted, so an aborted `signal` ends the thread. Then this resolves to undefined. */
  async #ask(trace: TraceRun, signal: AbortSignal): Promise<Trace | Failure | undefined> {
    clearTimeout(this.#idle);
    const worker = (this.#worker ??= this.#start());
    const end = (): void => void worker.terminate();
    signal.addEventListener('abort', end, { once: true });
    let why = 'its thread exited';
    const failed = (error: Error): void => void (why = error.message);
    const { promise, resolve } = Promise.withResolvers<Trace | Failure | undefined>();
    const exited = (): void => resolve(undefined); // follows every 'error', too
    worker.once('message', resolve).once('error', failed).once('exit', exited);
    worker.postMessage(trace);
    const outcome = await promise;
    worker.off('message', resolve).off('error', failed).off('exit', exited);
    signal.removeEventListener('abort', end);
    if (signal.aborted) this.#drop(worker);
    else if (outcome === undefined) throw new RouterError('ENGINE_FAULT', `the trace failed: ${why}`);
    else this.#idle = setTimeout(() => this.#drop(worker), IDLE_MS).unref();
    return outcome;
  }

  #start(): Thread {
    const worker = new Thread(new URL('./trace-thread.ts', import.meta.url));
    worker.on('error', () => undefined); // the caller of trace() gets the error
    return worker.on('exit', () => this.#drop(worker));
  }

  #drop(worker: Thread): void {
    if (this.#worker === worker) this.#worker = undefined;
    void worker.terminate();
  }
}
