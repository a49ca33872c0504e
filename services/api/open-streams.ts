// Shared by server streams without an end: a limit on open streams, the end when the caller leaves or the server
// drains, and metrics.
import { RouterError } from '../core/errors.ts';
import type { IncomingCall } from '../grpc/method.ts';
import { toStatus } from './status.ts';
import { type UnaryOptions, methodOf } from './unary.ts';

export interface OpenStreamsOptions extends Pick<UnaryOptions, 'onInternalError' | 'observer'> {
  /** Aborted when the server drains, since these streams never end by themselves. */
  readonly drained: AbortSignal;
}

interface StreamLimits {
  /** Maximum open streams. */
  readonly max: number;
  /** Error text if the limit is reached: the reason and what to do. */
  readonly whyFull: string;
  readonly retryAfterMs: number;
  /** Error text: what to do when the server drains. */
  readonly whenDrained: string;
}

export interface OpenStream {
  readonly isOver: boolean;
  /** Whether the call accepts a message. After its deadline it does not, even if it is still open. */
  readonly takesMessages: boolean;
  /** Releases the stream's resources. Set it as soon as there are any. */
  onEnd: () => void;
  /** Called when the sent messages have left, if they did not leave at once. */
  onDrain: () => void;
  /** Without `error`: success. */
  end(error: RouterError | undefined): void;
}

export class OpenStreams {
  readonly #options: OpenStreamsOptions;
  readonly #limits: StreamLimits;
  readonly #open = new Set<OpenStream>();

  constructor(options: OpenStreamsOptions, limits: StreamLimits) {
    this.#options = options;
    this.#limits = limits;
    options.drained.addEventListener('abort', () => {
      for (const stream of this.#open) stream.end(this.#draining());
    });
  }

  /** Throws DRAINING, or ROUTER_FULL if the limit is reached. */
  admit(): void {
    if (this.#options.drained.aborted) throw this.#draining();
    const { max, whyFull, retryAfterMs } = this.#limits;
    if (this.#open.size >= max) throw new RouterError('ROUTER_FULL', whyFull, { retryAfterMs });
  }

  /** `start` checks the request, admits it and sends the first message. An error that it throws ends the stream. */
  begin(call: IncomingCall<never>, start: (stream: OpenStream) => void): void {
    const { observer, onInternalError } = this.#options;
    const { startedMs, deadlineMs } = call;
    let isOver = false;
    const stream: OpenStream = {
      get isOver() {
        return isOver;
      },
      get takesMessages() {
        return performance.now() < deadlineMs;
      },
      onEnd: () => undefined,
      onDrain: () => undefined,
      end: (error) => {
        if (isOver) return;
        isOver = true;
        stream.onEnd();
        this.#open.delete(stream);
        observer.requestEnded(methodOf(call), error?.kind ?? 'OK', performance.now() - startedMs);
        if (error === undefined) return;
        if (error.kind === 'INTERNAL') onInternalError(call.path, error);
        call.fail(toStatus(error));
      },
    };
    // The caller left, or its deadline passed: the normal end of such a stream, not an error.
    call.listener = { onCut: () => stream.end(undefined), onDrain: () => stream.onDrain() };
    try {
      start(stream);
      this.#open.add(stream);
    } catch (thrown) {
      stream.end(RouterError.from(thrown));
    }
  }

  #draining(): RouterError {
    return new RouterError('DRAINING', `the router is shutting down; ${this.#limits.whenDrained} once it is back`);
  }
}
