// One input on an InferStream, from the request to its answer. The same object also waits in the send queue.
import { RouterError } from '../../core/errors.ts';
import type { CallContext, Inference, InferenceInput, InferenceListener } from '../../core/inference.ts';

/** Events of a job. */
export interface JobOwner {
  /** Its caller no longer waits. */
  abandon(job: InferJob, error: RouterError): void;
}

/** Maximum encoded sizes: a dimension; all fixed-size parts of an item; the overhead of a text. */
const DIMENSION_BYTES = 5;
const ITEM_BYTES = 64;
const BYTES_PER_CHAR = 3;
const NO_BYTES = Buffer.alloc(0);

/** The interface of a job for its stream, for one input or a group. */
export abstract class InferJob {
  /** Id on its stream; 0: none yet. */
  id = 0;
  readonly input: InferenceInput;
  readonly context: CallContext;
  /** The caller's span; empty: it is not traced. */
  readonly traceParent: Uint8Array;
  readonly withLayers: boolean;
  /** Its answer has a session state. */
  readonly withState: boolean;
  /** Maximum size of its encoded item. */
  readonly maxBytes: number;

  constructor(input: InferenceInput, context: CallContext) {
    this.input = input;
    this.context = context;
    this.traceParent = context.span?.toParentBytes() ?? NO_BYTES;
    this.withLayers = input.detail !== undefined && input.detail !== 'SUMMARY';
    this.withState = input.returnState === true;
    const { model, shape, data, state = NO_BYTES } = input;
    const text = BYTES_PER_CHAR * model.length + this.traceParent.length;
    this.maxBytes = ITEM_BYTES + text + DIMENSION_BYTES * shape.length + data.length + state.length;
  }

  /** Call once, when it is on its stream. */
  abstract listen(): void;
  /** Call once after `listen`, before one of the following. */
  abstract stopListening(): void;
  abstract answer(inference: Inference): void;
  abstract fail(error: RouterError): void;
}

/** A single input with its own caller. */
export class LoneJob extends InferJob {
  readonly #resolve: (inference: Inference) => void;
  readonly #reject: (error: RouterError) => void;
  readonly #onAbort: () => void;

  constructor(
    input: InferenceInput,
    context: CallContext,
    owner: JobOwner,
    resolve: (inference: Inference) => void,
    reject: (error: RouterError) => void,
  ) {
    super(input, context);
    this.#resolve = resolve;
    this.#reject = reject;
    this.#onAbort = () => owner.abandon(this, RouterError.from(context.signal.reason));
  }

  listen(): void {
    this.context.signal.addEventListener('abort', this.#onAbort);
  }

  stopListening(): void {
    this.context.signal.removeEventListener('abort', this.#onAbort);
  }

  answer(inference: Inference): void {
    this.#resolve(inference);
  }

  fail(error: RouterError): void {
    this.#reject(error);
  }
}

/** Several inputs of one caller, with one cancellation listener for all. */
export class JobGroup {
  readonly listener: InferenceListener;
  readonly #context: CallContext;
  readonly #onAbort: () => void;
  readonly #jobs: GroupedJob[];
  /** On their stream. */
  #open = 0;

  constructor(inputs: readonly InferenceInput[], context: CallContext, owner: JobOwner, listener: InferenceListener) {
    this.listener = listener;
    this.#context = context;
    this.#jobs = inputs.map((input, index) => new GroupedJob(input, context, this, index));
    // Ended ones are no longer on the stream, which ignores them.
    this.#onAbort = () => {
      for (const job of this.#jobs) owner.abandon(job, RouterError.from(context.signal.reason));
    };
  }

  get jobs(): readonly GroupedJob[] {
    return this.#jobs;
  }

  began(): void {
    if (this.#open === 0) this.#context.signal.addEventListener('abort', this.#onAbort);
    this.#open += 1;
  }

  ended(): void {
    this.#open -= 1;
    if (this.#open === 0) this.#context.signal.removeEventListener('abort', this.#onAbort);
  }
}

class GroupedJob extends InferJob {
  readonly #group: JobGroup;
  readonly #index: number;

  constructor(input: InferenceInput, context: CallContext, group: JobGroup, index: number) {
    super(input, context);
    this.#group = group;
    this.#index = index;
  }

  listen(): void {
    this.#group.began();
  }

  stopListening(): void {
    this.#group.ended();
  }

  answer(inference: Inference): void {
    this.#group.listener.answered(this.#index, inference);
  }

  fail(error: RouterError): void {
    this.#group.listener.failed(this.#index, error);
  }
}
