// Triton's ModelStreamInfer: as many requests in flight as the window allows, each answered when it is ready.
import { Cancel } from '../../core/cancel.ts';
import { RouterError } from '../../core/errors.ts';
import {
  type ModelInferRequest,
  type ModelInferResponse,
  ModelInferResponse as Response,
  type ModelStreamInferResponse,
} from '../../generated/inference/grpc_service.ts';
import type { CallListener, IncomingCall } from '../../grpc/method.ts';
import type { OpenCall } from '../open-calls.ts';
import type { StreamOptions } from '../reason-stream.ts';
import { toStatus } from '../status.ts';
import { UnaryContext, methodOf, whyCancelled } from '../unary.ts';
import type { Infer } from './infer.ts';

type StreamCall = IncomingCall<ModelStreamInferResponse>;

export function inferStream(infer: Infer, options: StreamOptions): (call: StreamCall) => void {
  return (call) => new InferStream(call, infer, options);
}

class InferStream implements OpenCall, CallListener<ModelInferRequest | RouterError> {
  slot = -1;
  readonly #call: StreamCall;
  readonly #infer: Infer;
  readonly #options: StreamOptions;
  readonly #caller = new Cancel();
  readonly #onDraining = (): void => this.#endInput();
  readonly #open = new Set<UnaryContext>();
  #isBlocked = false;
  #isPaused = false;
  #hasEnded = false;

  constructor(call: StreamCall, infer: Infer, options: StreamOptions) {
    this.#call = call;
    this.#infer = infer;
    this.#options = options;
    call.listener = this;
    options.calls.opened(this);
    options.drained.addEventListener('abort', this.#onDraining, { once: true });
    if (options.drained.aborted) this.#onDraining();
  }

  onMessage(request: ModelInferRequest | RouterError): void {
    const { metadata, owner } = this.#call;
    const startedMs = performance.now();
    const deadlineMs = Math.min(this.#call.deadlineMs, startedMs + this.#options.timeoutMs);
    const context = new UnaryContext({ startedMs, metadata, owner }, deadlineMs, undefined);
    this.#open.add(context);
    this.#pace();
    const answered =
      request instanceof RouterError
        ? Promise.reject<ModelInferResponse>(request)
        : this.#infer(request, context, undefined, false);
    answered.then(
      (inferResponse) => this.#answer(context, { errorMessage: '', inferResponse }, 'OK'),
      (thrown: unknown) => {
        const error = RouterError.from(thrown);
        const id = request instanceof RouterError ? '' : request.id;
        const inferResponse = Response.fromPartial({ id });
        this.#answer(context, { errorMessage: `${error.kind}: ${error.message}`, inferResponse }, error.kind);
      },
    );
  }

  onEnd(): void {
    this.#endInput();
  }

  onDrain(): void {
    this.#isBlocked = false;
    this.#pace();
  }

  onCut(): void {
    this.#close(whyCancelled(this.#call.deadlineMs));
  }

  abort(error: RouterError): void {
    this.#close(error);
    this.#call.fail(toStatus(error));
  }

  #answer(context: UnaryContext, response: ModelStreamInferResponse, outcome: 'OK' | RouterError['kind']): void {
    this.#open.delete(context);
    const { observer } = this.#options;
    observer.requestEnded(`${methodOf(this.#call)}.item`, outcome, performance.now() - context.startedMs);
    if (this.#caller.aborted) return;
    this.#isBlocked = !this.#call.send(response);
    this.#pace();
    this.#endIfAnswered();
  }

  #pace(): void {
    const { windowSize, drained } = this.#options;
    const isPaused = this.#open.size >= windowSize || this.#isBlocked || drained.aborted;
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#call.pause();
    else this.#call.resume();
  }

  #endInput(): void {
    this.#hasEnded = true;
    this.#pace();
    this.#endIfAnswered();
  }

  #endIfAnswered(): void {
    if (!this.#hasEnded || this.#open.size > 0 || this.#caller.aborted) return;
    this.#call.end();
    this.#close(undefined);
  }

  /** Cancels the requests in flight. */
  #close(error: RouterError | undefined): void {
    if (this.#caller.aborted) return;
    this.#caller.abort(error ?? new RouterError('CANCELLED', 'the stream has ended'));
    for (const context of this.#open) context.abort(error ?? new RouterError('CANCELLED', 'the stream has ended'));
    this.#options.drained.removeEventListener('abort', this.#onDraining);
    this.#options.calls.closed(this);
  }
}
