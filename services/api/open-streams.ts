// What server streams that have no end of their own share: so many at once, an end when their caller leaves or the server
// drains, and being counted.
import { RouterError } from '../core/errors.ts';
import type { IncomingCall } from '../grpc/method.ts';
import { toStatus } from './status.ts';
import { type UnaryOptions, methodOf } from './unary.ts';

export interface OpenStreamsOptions extends Pick<UnaryOptions, 'onInternalError' | 'observer'> {
  /** Aborted when the server drains: a stream has no end of its own that could be waited for. */
  readonly drained: AbortSignal;
}

interface StreamLimits {
  /** Open at once. */
  readonly max: number;
  /** Why there is no room for another, and what to do. */
  readonly whyFull: string;
  readonly retryAfterMs: number;
  /** What to do once the server drains. */
  readonly whenDrained: string;
}

export interface OpenStream {
  readonly isOver: boolean;
  /** Whether its call takes a message. After its deadline it takes none, though it may not be over yet. */
  readonly takesMessages: boolean;
  /** Lets go of what the stream holds; to be set as soon as it holds something. */
  onEnd: () => void;
  /** Called when the messages that were sent have left, where they have not at once. */
  onDrain: () => void;
  /** Without `error`: nothing went wrong. */
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

  /** Throws DRAINING or ROUTER_FULL where there is no room for another one. */
  admit(): void {
    if (this.#options.drained.aborted) throw this.#draining();
    const { max, whyFull, retryAfterMs } = this.#limits;
    if (this.#open.size >= max) throw new RouterError('ROUTER_FULL', whyFull, { retryAfterMs });
  }

  /** `start` checks the request, admits it and sends the first message; what it throws ends the stream. */
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
    // The caller has left, or its deadline has passed: that is how such a stream ends, and not an error.
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
