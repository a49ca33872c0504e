// One input on an InferStream, from when it is asked to its answer: one object, which is its own listener and what waits to be
// sent.
import { RouterError } from '../../core/errors.ts';
import type { CallContext, Inference, InferenceInput } from '../../core/inference.ts';

/** What a job tells of itself. */
export interface JobOwner {
  /** Its caller waits for it no longer. */
  abandon(job: InferJob, error: RouterError): void;
}

/** Encoded at most: a dimension; everything of an item that has a fixed size; of a text. */
const DIMENSION_BYTES = 5;
const ITEM_BYTES = 64;
const BYTES_PER_CHAR = 3;
const NO_BYTES = Buffer.alloc(0);

export class InferJob {
  /** Of its stream; 0: it has none yet. */
  id = 0;
  readonly input: InferenceInput;
  readonly context: CallContext;
  /** The caller's span; empty: it is not traced. */
  readonly traceParent: Uint8Array;
  readonly withLayers: boolean;
  /** Its item has no more, encoded. */
  readonly maxBytes: number;
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
    this.input = input;
    this.context = context;
    this.traceParent = context.span?.toParentBytes() ?? NO_BYTES;
    this.withLayers = input.detail !== undefined && input.detail !== 'SUMMARY';
    const { model, shape, data } = input;
    const text = BYTES_PER_CHAR * model.length + this.traceParent.length;
    this.maxBytes = ITEM_BYTES + text + DIMENSION_BYTES * shape.length + data.length;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#onAbort = () => owner.abandon(this, RouterError.from(context.signal.reason));
  }

  /** To be called once, when it is on its stream. */
  listen(): void {
    this.context.signal.addEventListener('abort', this.#onAbort);
  }

  /** To be called once, before one of the following. */
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
