// WatchMetrics: one timer a watcher. A message is only made once the one before has left, so a slow reader gets fewer of
// them and nothing queues.
import type * as grpc from '@grpc/grpc-js';
import { RouterError } from '../core/errors.ts';
import type {
  Metrics as MetricsMessage,
  WatchMetricsRequest,
  WatchMetricsResponse,
} from '../generated/tandem/v1/metrics.ts';
import { toStatus } from './status.ts';
import type { UnaryOptions } from './unary.ts';

const TYPE = 'WatchMetrics';
const MIN_INTERVAL_MS = 100;
const MAX_INTERVAL_MS = 60_000;
const DEFAULT_INTERVAL_MS = 1_000;
/** Reading takes a fraction of a millisecond: so many at the shortest interval take a fraction of a core. */
export const MAX_WATCHERS = 64;

export interface WatchOptions extends Pick<UnaryOptions, 'onInternalError' | 'observer'> {
  /** Aborted when the server drains: a watch has no end of its own that could be waited for. */
  readonly drained: AbortSignal;
  /** Calls `tick` every so often; returns what stops it. */
  readonly every?: (intervalMs: number, tick: () => void) => () => void;
}

type WatchCall = grpc.ServerWritableStream<WatchMetricsRequest | RouterError, WatchMetricsResponse>;

export class Watches {
  readonly #read: () => MetricsMessage;
  readonly #options: WatchOptions;
  /** What ends each open watch. */
  readonly #open = new Set<(error: RouterError) => void>();

  constructor(read: () => MetricsMessage, options: WatchOptions) {
    this.#read = read;
    this.#options = options;
    options.drained.addEventListener('abort', () => {
      for (const end of this.#open) end(draining());
    });
  }

  begin(call: WatchCall): void {
    const startedMs = performance.now();
    let stop = (): void => undefined;
    const send = (): void => {
      try {
        if (isReady(call)) this.#send(call);
      } catch (thrown) {
        end(RouterError.from(thrown));
      }
    };
    const end = (error: RouterError | undefined): void => {
      stop();
      call.off('cancelled', left);
      this.#open.delete(end);
      this.#options.observer.requestEnded(TYPE, error?.kind ?? 'OK', performance.now() - startedMs);
      if (error === undefined) return;
      if (error.kind === 'INTERNAL') this.#options.onInternalError(call.getPath(), error);
      call.emit('error', toStatus(error)); // how grpc-js is told of a status
    };
    // The caller has left, or its deadline has passed: that is how a watch ends, and not an error.
    const left = (): void => end(undefined);
    try {
      const intervalMs = this.#admit(call.request);
      this.#open.add(end);
      call.on('cancelled', left);
      stop = (this.#options.every ?? everyMs)(intervalMs, send);
      this.#send(call);
    } catch (thrown) {
      end(RouterError.from(thrown));
    }
  }

  /** The interval, milliseconds. */
  #admit(request: WatchMetricsRequest | RouterError): number {
    if (request instanceof RouterError) throw request;
    const intervalMs = request.intervalMs === 0 ? DEFAULT_INTERVAL_MS : request.intervalMs;
    if (intervalMs < MIN_INTERVAL_MS || intervalMs > MAX_INTERVAL_MS) {
      const range = `${MIN_INTERVAL_MS} to ${MAX_INTERVAL_MS}, or 0 for ${DEFAULT_INTERVAL_MS}`;
      throw new RouterError('INVALID_FIELD', `interval_ms is ${intervalMs}; send ${range}`, { field: 'interval_ms' });
    }
    if (this.#options.drained.aborted) throw draining();
    if (this.#open.size >= MAX_WATCHERS) {
      const message = `${MAX_WATCHERS} callers watch the metrics already; try again later, or ask GetMetrics`;
      throw new RouterError('ROUTER_FULL', message, { retryAfterMs: DEFAULT_INTERVAL_MS });
    }
    return intervalMs;
  }

  #send(call: WatchCall): void {
    const startedMs = performance.now();
    const metrics = this.#read();
    call.write({ metrics, processingTimeMs: performance.now() - startedMs });
  }
}

/** Whether the last message has left. After its deadline a call takes none, though it may not be over yet. */
function isReady(call: WatchCall): boolean {
  return call.writableLength === 0 && Date.now() < Number(call.getDeadline());
}

function draining(): RouterError {
  return new RouterError('DRAINING', 'the router is shutting down; watch again once it is back');
}

function everyMs(intervalMs: number, tick: () => void): () => void {
  const timer = setInterval(tick, intervalMs);
  return () => clearInterval(timer);
}
