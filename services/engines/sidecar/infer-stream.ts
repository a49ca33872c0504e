// Many inferences over one InferStream. The cost is calls, not bytes: whatever waits at the end of an event-loop turn
// goes out as one message, and while the peer's window is full the next one gathers more.
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { RouterError } from '../../core/errors.ts';
import type { CallContext, Inference, InferenceInput } from '../../core/inference.ts';
import type { InferItem, InferStreamRequest, InferStreamResponse } from '../../generated/tandem/engine/v1/engine.ts';
import { checkLayers } from './check-layers.ts';
import { fromDetail, toInference, toRouterError } from './translate.ts';

/** Limits of one message, far below what an engine accepts. A larger item travels alone. */
const MAX_ITEMS = 256;
const MAX_BYTES = 1_048_576;
/** How late an expired inference may be noticed when neither its caller nor its engine says a word, milliseconds. */
const SWEEP_MS = 20;
const NO_BYTES = Buffer.alloc(0);

export interface StallOptions {
  /** Silence of an engine that owes answers, even when asked whether it lives, after which it is lost. */
  readonly timeoutMs: number;
  /** Asks the engine whether it lives: any answer will do. */
  readonly probe: () => Promise<unknown>;
}

interface Job {
  readonly resolve: (inference: Inference) => void;
  readonly reject: (error: RouterError) => void;
  readonly context: CallContext;
  readonly onAbort: () => void;
}

export class InferStream {
  readonly #engineId: string;
  readonly #call: ClientDuplexStream<InferStreamRequest, InferStreamResponse>;
  readonly #jobs = new Map<number, Job>();
  readonly #sweeper: NodeJS.Timeout;
  #outbox: InferItem[] = [];
  #cancels: bigint[] = [];
  #nextId = 1;
  #flushScheduled = false;
  #blocked = false;
  #closed = false;
  #whenIdle: (() => void) | undefined;
  readonly #stall: StallOptions;
  /** Sweeps since the engine was last heard, while it owes answers: time in which this process was awake to hear it. */
  #silentSweeps = 0;
  readonly #close: (why: string) => void;

  /** `onClosed` is called once, after every unanswered job was rejected with ENGINE_LOST. */
  constructor(
    engineId: string,
    call: ClientDuplexStream<InferStreamRequest, InferStreamResponse>,
    stall: StallOptions,
    onClosed: (why: string) => void,
  ) {
    this.#engineId = engineId;
    this.#call = call;
    this.#stall = stall;
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS).unref();
    this.#close = (why: string): void => {
      if (this.#closed) return;
      this.#closed = true;
      clearInterval(this.#sweeper);
      const lost = new RouterError('ENGINE_LOST', `engine "${engineId}" was lost: ${why}`);
      for (const id of [...this.#jobs.keys()]) this.#take(id)?.reject(lost);
      onClosed(why);
    };
    call.on('data', (response: InferStreamResponse) => this.#receive(response));
    call.on('drain', () => {
      this.#blocked = false;
      this.#scheduleFlush();
    });
    call.on('error', (error) => this.#close(error.message));
    call.on('end', () => this.#close('it closed the stream'));
  }

  get inFlight(): number {
    return this.#jobs.size;
  }

  infer(input: InferenceInput, context: CallContext): Promise<Inference> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new RouterError('ENGINE_LOST', `engine "${this.#engineId}" is not connected`));
        return;
      }
      const id = this.#nextId++;
      const onAbort = (): void => this.#abandon(id, RouterError.from(context.signal.reason));
      context.signal.addEventListener('abort', onAbort, { once: true });
      this.#jobs.set(id, { resolve, reject, context, onAbort });
      this.#outbox.push({
        id: BigInt(id),
        model: input.model,
        modelVersion: input.version,
        shape: input.shape as number[],
        data: input.data,
        timeoutUs: 0n,
        digestOnly: input.digestOnly ?? false,
        traceParent: context.span?.toParentBytes() ?? NO_BYTES,
        traceLayers: context.span?.asksForLayers ?? false,
        detail: fromDetail(input.detail),
      });
      this.#scheduleFlush();
    });
  }

  /** Resolves when every job has ended, then closes the stream. */
  async drain(): Promise<void> {
    if (this.#jobs.size > 0 && !this.#closed) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    this.#call.end();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#blocked || this.#closed) return;
    this.#flushScheduled = true;
    // Nothing to gather with: do not keep the only one waiting.
    const later = this.#jobs.size <= 1 ? queueMicrotask : setImmediate;
    later(() => {
      this.#flushScheduled = false;
      if (!this.#closed) this.#flush();
    });
  }

  #flush(): void {
    while (!this.#blocked && (this.#outbox.length > 0 || this.#cancels.length > 0)) {
      const items = this.#takeBatch();
      const cancelIds = this.#cancels;
      this.#cancels = [];
      this.#blocked = !this.#call.write({ items, cancelIds, checksum: 0n });
    }
  }

  #takeBatch(): InferItem[] {
    const now = performance.now();
    let bytes = 0;
    let count = 0;
    for (const item of this.#outbox) {
      bytes += item.data.length;
      if (count === MAX_ITEMS || (count > 0 && bytes > MAX_BYTES)) break;
      const deadlineMs = this.#jobs.get(Number(item.id))?.context.deadlineMs ?? Infinity;
      if (deadlineMs !== Infinity) item.timeoutUs = BigInt(Math.max(1, Math.round((deadlineMs - now) * 1_000)));
      count += 1;
    }
    if (count === this.#outbox.length) {
      const all = this.#outbox;
      this.#outbox = [];
      return all;
    }
    return this.#outbox.splice(0, count);
  }

  #receive(response: InferStreamResponse): void {
    this.#silentSweeps = 0;
    for (const { id, outcome } of response.results) {
      const job = this.#take(Number(id));
      if (job === undefined) continue; // its caller left
      if (outcome?.$case === 'inference') this.#resolve(job, toInference(outcome.value));
      else if (outcome?.$case === 'error') job.reject(toRouterError(this.#engineId, outcome.value));
      else job.reject(new RouterError('ENGINE_FAULT', `engine "${this.#engineId}" gave a result without an outcome`));
    }
  }

  #resolve(job: Job, inference: Inference): void {
    const problem = checkLayers(inference);
    if (problem === '') job.resolve(inference);
    else
      job.reject(new RouterError('ENGINE_FAULT', `engine "${this.#engineId}" told layers that cannot be: ${problem}`));
  }

  #abandon(id: number, error: RouterError): void {
    const unsent = this.#outbox.findIndex((item) => item.id === BigInt(id));
    if (unsent >= 0) this.#outbox.splice(unsent, 1);
    else this.#cancels.push(BigInt(id));
    this.#take(id)?.reject(error);
    this.#scheduleFlush();
  }

  #take(id: number): Job | undefined {
    const job = this.#jobs.get(id);
    if (job === undefined) return undefined;
    this.#jobs.delete(id);
    job.context.signal.removeEventListener('abort', job.onAbort);
    if (this.#jobs.size === 0) this.#whenIdle?.();
    return job;
  }

  #sweep(): void {
    this.#watchSilence();
    const now = performance.now();
    for (const [id, job] of this.#jobs) {
      if (job.context.deadlineMs > now) continue;
      this.#abandon(id, new RouterError('DEADLINE_EXCEEDED', 'the deadline passed before an engine answered'));
    }
  }

  /** A stopped process keeps its connections, and says nothing: asked half-way, lost at the end. */
  #watchSilence(): void {
    this.#silentSweeps = this.#jobs.size === 0 ? 0 : this.#silentSweeps + 1;
    const limit = Math.ceil(this.#stall.timeoutMs / SWEEP_MS);
    if (this.#silentSweeps === Math.ceil(limit / 2)) {
      this.#stall.probe().then(
        () => (this.#silentSweeps = 0),
        () => undefined, // it had its chance
      );
    }
    if (this.#silentSweeps >= limit) this.#close(`it owes answers and was silent for ${this.#stall.timeoutMs} ms`);
  }
}
