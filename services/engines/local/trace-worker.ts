// The main thread's end of traces: one at a time, in a thread that is there only while traces are wanted.
import { RouterError } from '../../core/errors.ts';
import type { CallContext } from '../../core/inference.ts';
import type { Trace } from '../engine.ts';
import type { Failure, TraceRun } from './messages.ts';
import { Thread } from './thread.ts';

/** A thread without work gives its memory back after so long. */
const IDLE_MS = 5_000;

export class TraceWorker {
  readonly #stopping = new AbortController();
  /** Settles, and never rejects, when the trace that came last is done. */
  #last: Promise<unknown> = Promise.resolve();
  #worker: Thread | undefined;
  #idle: NodeJS.Timeout | undefined;

  /** Each takes the memory of a network at work, so traces wait for each other. Resolves with what the thread says. */
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
    // setTimeout takes no more than 2³¹ − 1 ms; deadlines beyond that are as good as none.
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

  /** Ends what runs, and resolves when the thread is gone. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#last;
    clearTimeout(this.#idle);
    await this.#worker?.terminate();
  }

  /** A run looks at nothing but its numbers: where `signal` ends it, the thread ends with it. Resolves undefined then. */
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
