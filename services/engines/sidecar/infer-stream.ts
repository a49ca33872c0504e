// Many inferences over one InferStream. Messages cost more than bytes: everything that waits at the end of an
// event-loop turn is sent as one message, and while the peer's window is full, the next message collects more.
import { deadlinePassed } from '../../core/call.ts';
import { type ErrorKind, RouterError } from '../../core/errors.ts';
import { IdTable } from '../../core/id-table.ts';
import type { CallContext, Inference, InferenceInput, InferenceListener } from '../../core/inference.ts';
import type { InferError } from '../../generated/tandem/engine/v1/engine.ts';
import { malformed } from '../check-refusal.ts';
import type { UnansweredWork } from '../engine.ts';
import type { InferCall, InferListener } from './infer-call.ts';
import { type InferJob, JobGroup, type JobOwner, LoneJob } from './infer-job.ts';
import { InferResults } from './infer-results.ts';
import { MAX_OUTPUTS, type Owed } from './message-limits.ts';
import { Outbox, messageBytes } from './outbox.ts';
import { toDownReason, toRouterError } from './translate.ts';

/** Maximum delay to notice an expired inference when neither its caller nor its engine reports it, milliseconds. */
const SWEEP_MS = 20;
/** Maximum cancelled inferences without an answer: an engine must answer each once, soon. */
const MAX_CANCELLED = 65_536;
/** A correct engine sends none of these; a few are tolerated. */
const MAX_UNEXPECTED = 8;
/** Maximum messages without a result between two sweeps. */
const MAX_EMPTY = 64;
const GIVEN_UP: ReadonlySet<string> = new Set<ErrorKind>(['CANCELLED', 'DEADLINE_EXCEEDED']);

export interface InferStreamOptions {
  /** Maximum message size of the engine. */
  readonly maxMessageBytes: number;
  /** Time after which a silent engine that owes answers, and does not answer a ping, is lost. */
  readonly timeoutMs: number;
  /** Pings the engine: any answer proves that it lives. */
  readonly probe: () => Promise<unknown>;
  /** Size of a model's output; undefined: unknown. */
  readonly outputsOf: (model: string, version: number) => number | undefined;
}

/** Optional parts of an answer besides its readout. */
type Extras = Pick<InferJob, 'withLayers' | 'withState'>;

/** Shared by all streams: they read one message at a time. */
const results = new InferResults();

export class InferStream implements InferListener, JobOwner {
  readonly #engineId: string;
  #call: Pick<InferCall, 'write' | 'end' | 'cancel'> | undefined;
  readonly #jobs = new IdTable<InferJob>();
  readonly #sweeper: NodeJS.Timeout;
  readonly #outbox: Outbox;
  /** Sent and cancelled inferences that the engine must still answer once. */
  readonly #cancelled = new Map<number, Extras>();
  #owedWithLayers = 0;
  #owedWithState = 0;
  #largestOutput = 0;
  #flushScheduled = false;
  #blocked = false;
  #closed = false;
  #whenIdle: (() => void)[] = [];
  readonly #options: InferStreamOptions;
  /**
   * Sweeps since the last message of an engine that owes answers. Counts only time in which this process could receive
   * one.
   */
  #silentSweeps = 0;
  /** Inputs since the last answer, without those that need not be computed any more. */
  #unanswered = 0;
  /** Sweeps since then. */
  #unansweredSweeps = 0;
  #emptyMessages = 0;
  readonly #flush = (): void => {
    this.#flushScheduled = false;
    while (!this.#closed && !this.#blocked && !this.#outbox.isEmpty) {
      this.#blocked = !this.#call!.write(this.#outbox.take());
    }
  };
  readonly #close: (why: string, kind?: ErrorKind) => void;
  /** Results whose id was never sent or was already answered. */
  unexpectedAnswers = 0;
  /** Whether it has answered any input. */
  hasAnswered = false;

  /** `onClosed` is called once, after every unanswered job was rejected with ENGINE_LOST or ENGINE_FAULT. */
  constructor(engineId: string, options: InferStreamOptions, onClosed: (why: string, isFault: boolean) => void) {
    this.#engineId = engineId;
    this.#options = options;
    this.#outbox = new Outbox(options.maxMessageBytes);
    // Answers that arrived while this process was busy are read before the sweep, so they do not count as late.
    this.#sweeper = setInterval(() => setImmediate(this.#sweep), SWEEP_MS).unref();
    this.#close = (why, kind = 'ENGINE_LOST'): void => {
      if (this.#closed) return;
      this.#closed = true;
      clearInterval(this.#sweeper);
      const lost = new RouterError(kind, `engine "${engineId}" was lost: ${why}`);
      for (const id of this.#jobs.ids()) this.#take(id)?.fail(lost);
      onClosed(why, kind === 'ENGINE_FAULT');
    };
  }

  /** Sets the call. Call once, before anything else. */
  begin(call: Pick<InferCall, 'write' | 'end' | 'cancel'>): void {
    this.#call = call;
  }

  get inFlight(): number {
    return this.#jobs.size;
  }

  /** Unanswered inputs, including cancelled ones. */
  get owed(): Owed {
    const answers = this.#jobs.size + this.#cancelled.size;
    const [withLayers, withState] = [this.#owedWithLayers, this.#owedWithState];
    return { answers, withLayers, withState, outputs: this.#largestOutput };
  }

  /** Undefined while the engine answers or has nothing to answer. */
  get unanswered(): UnansweredWork | undefined {
    const forMs = this.#unansweredSweeps * SWEEP_MS;
    return forMs < this.#options.timeoutMs ? undefined : { inputs: this.#unanswered, forMs };
  }

  /** Ends the stream. */
  fail(why: string): void {
    this.#close(why);
    this.#call?.cancel();
  }

  infer(input: InferenceInput, context: CallContext): Promise<Inference> {
    return new Promise((resolve, reject) => {
      if (this.#closed) reject(this.#isClosed());
      else if (context.signal.aborted) reject(RouterError.from(context.signal.reason));
      else this.#begin(new LoneJob(input, context, this, resolve, reject));
    });
  }

  inferEach(inputs: readonly InferenceInput[], context: CallContext, listener: InferenceListener): void {
    for (const job of new JobGroup(inputs, context, this, listener).jobs) {
      // The listener may change both.
      if (this.#closed) job.fail(this.#isClosed());
      else if (context.signal.aborted) job.fail(RouterError.from(context.signal.reason));
      else this.#begin(job);
    }
  }

  #isClosed(): RouterError {
    return new RouterError('ENGINE_LOST', `engine "${this.#engineId}" is not connected`);
  }

  #begin(job: InferJob): void {
    const bytes = messageBytes(job);
    if (bytes > this.#options.maxMessageBytes) {
      job.fail(this.#tooLarge(bytes));
      return;
    }
    const { model, version } = job.input;
    job.id = this.#jobs.add(job);
    job.listen();
    this.#oweExtras(job, 1);
    const outputs = this.#options.outputsOf(model, version) ?? MAX_OUTPUTS;
    this.#largestOutput = Math.max(this.#largestOutput, outputs);
    this.#outbox.add(job);
    this.#unanswered += 1;
    this.#scheduleFlush();
  }

  /** Resolves when every job has ended, then closes the stream. */
  async drain(): Promise<void> {
    if (this.#jobs.size > 0 && !this.#closed) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    this.#call?.end();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#blocked || this.#closed) return;
    this.#flushScheduled = true;
    // A single input: send it at once, since there is nothing to collect.
    if (this.#jobs.size <= 1) queueMicrotask(this.#flush);
    else setImmediate(this.#flush);
  }

  onDrain(): void {
    this.#blocked = false;
    this.#scheduleFlush();
  }

  onEnd(why: string): void {
    this.#close(toDownReason({ message: why }));
  }

  onMessage(bytes: Buffer): void {
    if (this.#closed) return;
    results.begin(bytes);
    let count = 0;
    for (; results.next(); count += 1) this.#receive();
    if (count === 0) {
      this.#emptyMessages += 1;
      if (this.#emptyMessages > MAX_EMPTY) this.#fault('it sends messages without results');
      return;
    }
    this.#silentSweeps = 0;
    if (this.unexpectedAnswers > MAX_UNEXPECTED) {
      this.#fault(`it sent ${this.unexpectedAnswers} answers with ids that were never sent, or answered before`);
    }
  }

  /** Handles one result. Whatever the engine sends can only fail the job of that result. */
  #receive(): void {
    const { id } = results;
    const job = this.#take(id);
    if (job === undefined && !this.#cancelled.has(id)) {
      this.unexpectedAnswers += 1;
      return;
    }
    if (job === undefined) this.#forget(id);
    else {
      this.#oweExtras(job, -1);
      this.hasAnswered = true;
    }
    try {
      if (results.outcome === 'error') this.#receiveError(results.error(), job);
      else {
        this.#noteAnswered(false);
        if (results.outcome === 'inference') job?.answer(results.inference());
        else job?.fail(malformed(this.#engineId, 'a result without an outcome'));
      }
    } catch (error) {
      job?.fail(malformed(this.#engineId, 'a result that cannot be read', error));
    }
  }

  #receiveError(error: InferError, job: InferJob | undefined): void {
    this.#noteAnswered(GIVEN_UP.has(error.reason));
    job?.fail(toRouterError(this.#engineId, error));
  }

  /** An engine that only reports cancelled or late inputs has not answered: its computation may hang. */
  #noteAnswered(hasGivenUp: boolean): void {
    this.#unanswered = hasGivenUp ? Math.max(0, this.#unanswered - 1) : 0;
    if (!hasGivenUp) this.#unansweredSweeps = 0;
  }

  /** The engine breaks the protocol. */
  #fault(why: string): void {
    this.#close(why, 'ENGINE_FAULT');
    this.#call?.cancel();
  }

  #tooLarge(bytes: number): RouterError {
    const { maxMessageBytes } = this.#options;
    const message = `engine "${this.#engineId}" takes messages of ${maxMessageBytes} bytes at most, and this input needs ${bytes}; start the engine with a larger --max-message-bytes`;
    const metadata = { bytes: String(bytes), max_message_bytes: String(maxMessageBytes) };
    return new RouterError('INPUT_TOO_LARGE', message, { metadata });
  }

  /** Its caller no longer waits, or its deadline has passed. */
  abandon(job: InferJob, error: RouterError): void {
    if (this.#take(job.id) === undefined) return;
    if (this.#outbox.cancel(job)) this.#noteCancelled(job);
    else {
      this.#oweExtras(job, -1);
      // While an engine does not read, unsent cancellations count, too.
      if (!this.#blocked) this.#unanswered = Math.max(0, this.#unanswered - 1);
    }
    job.fail(error);
    this.#scheduleFlush();
  }

  #oweExtras({ withLayers, withState }: Extras, change: 1 | -1): void {
    if (withLayers) this.#owedWithLayers += change;
    if (withState) this.#owedWithState += change;
  }

  /** Its input is not kept. */
  #noteCancelled({ id, withLayers, withState }: InferJob): void {
    this.#cancelled.set(id, { withLayers, withState });
    if (this.#cancelled.size > MAX_CANCELLED) this.#fault(`it left ${MAX_CANCELLED} cancelled inputs unanswered`);
  }

  #forget(cancelledId: number): void {
    this.#oweExtras(this.#cancelled.get(cancelledId)!, -1);
    this.#cancelled.delete(cancelledId);
  }

  #take(id: number): InferJob | undefined {
    const job = this.#jobs.remove(id);
    if (job === undefined) return undefined;
    job.stopListening();
    if (this.#jobs.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
    return job;
  }

  readonly #sweep = (): void => {
    if (this.#closed) return;
    this.#emptyMessages = 0;
    this.#unansweredSweeps = this.#unanswered === 0 ? 0 : this.#unansweredSweeps + 1;
    this.#watchSilence();
    const now = performance.now();
    for (const id of this.#jobs.ids()) {
      const job = this.#jobs.get(id)!;
      if (job.context.deadlineMs <= now) this.abandon(job, deadlinePassed('an engine answered'));
    }
  };

  /**
   * A stopped process keeps its connections but sends nothing. It is pinged after half of the time and lost after all
   * of it.
   */
  #watchSilence(): void {
    this.#silentSweeps = this.#jobs.size === 0 ? 0 : this.#silentSweeps + 1;
    const limit = Math.ceil(this.#options.timeoutMs / SWEEP_MS);
    if (this.#silentSweeps === Math.ceil(limit / 2)) {
      this.#options.probe().then(
        () => (this.#silentSweeps = 0),
        () => undefined, // it was pinged and did not answer
      );
    }
    if (this.#silentSweeps >= limit) this.#close(`it owes answers and was silent for ${this.#options.timeoutMs} ms`);
  }
}
