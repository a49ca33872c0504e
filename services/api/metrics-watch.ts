// WatchMetrics: one timer for each watcher. A message is built only after the one before is sent, so a slow reader gets
// fewer messages and nothing queues.
import { RouterError } from '../core/errors.ts';
import type {
  Metrics as MetricsMessage,
  WatchMetricsRequest,
  WatchMetricsResponse,
} from '../generated/tandem/v1/metrics.ts';
import type { IncomingCall } from '../grpc/method.ts';
import { OpenStreams, type OpenStreamsOptions } from './open-streams.ts';

const MIN_INTERVAL_MS = 100;
const MAX_INTERVAL_MS = 60_000;
const DEFAULT_INTERVAL_MS = 1_000;
/**
 * Reading takes a fraction of a millisecond, so this many watchers at the shortest interval take a fraction of a core.
 */
export const MAX_WATCHERS = 64;

export interface WatchOptions extends OpenStreamsOptions {
  /** Calls `tick` at each interval. Returns a function that stops it. */
  readonly every?: (intervalMs: number, tick: () => void) => () => void;
}

type WatchCall = IncomingCall<WatchMetricsResponse>;

export class Watches {
  readonly #read: () => MetricsMessage;
  readonly #every: NonNullable<WatchOptions['every']>;
  readonly #streams: OpenStreams;

  constructor(read: () => MetricsMessage, options: WatchOptions) {
    this.#read = read;
    this.#every = options.every ?? everyMs;
    this.#streams = new OpenStreams(options, {
      ...{ max: MAX_WATCHERS, retryAfterMs: DEFAULT_INTERVAL_MS, whenDrained: 'watch again' },
      whyFull: `${MAX_WATCHERS} callers watch the metrics already; try again later, or ask GetMetrics`,
    });
  }

  begin(call: WatchCall, request: WatchMetricsRequest | RouterError): void {
    this.#streams.begin(call, (stream) => {
      const intervalMs = this.#admit(request);
      stream.onEnd = this.#every(intervalMs, () => {
        try {
          // The last message is sent.
          if (!call.hasUnsent && stream.takesMessages) this.#send(call);
        } catch (thrown) {
          stream.end(RouterError.from(thrown));
        }
      });
      this.#send(call);
    });
  }

  /** The interval, milliseconds. */
  #admit(request: WatchMetricsRequest | RouterError): number {
    if (request instanceof RouterError) throw request;
    const intervalMs = request.intervalMs === 0 ? DEFAULT_INTERVAL_MS : request.intervalMs;
    if (intervalMs < MIN_INTERVAL_MS || intervalMs > MAX_INTERVAL_MS) {
      const range = `${MIN_INTERVAL_MS} to ${MAX_INTERVAL_MS}, or 0 for ${DEFAULT_INTERVAL_MS}`;
      throw new RouterError('INVALID_FIELD', `interval_ms is ${intervalMs}; send ${range}`, { field: 'interval_ms' });
    }
    this.#streams.admit();
    return intervalMs;
  }

  #send(call: WatchCall): void {
    const startedMs = performance.now();
    const metrics = this.#read();
    call.send({ metrics, processingTimeMs: performance.now() - startedMs });
  }
}

function everyMs(intervalMs: number, tick: () => void): () => void {
  const timer = setInterval(tick, intervalMs);
  return () => clearInterval(timer);
}
