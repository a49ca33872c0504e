// MetricsService: what was counted, once or again and again.
import type * as grpc from '@grpc/grpc-js';
import {
  type GetMetricsRequest,
  type GetMetricsResponse,
  type Metrics as MetricsMessage,
  type MetricsServiceServer,
  MetricsServiceService,
  type ResetMetricsRequest,
  type ResetMetricsResponse,
} from '../generated/tandem/v1/metrics.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type Standing, toMetrics } from './metrics-message.ts';
import { type WatchOptions, Watches } from './metrics-watch.ts';
import { type UnaryOptions, decoding, unary } from './unary.ts';

export const metricsService = decoding(MetricsServiceService);

/** Where the parts that only say how they stand are asked. */
export interface MetricsSources {
  /** In pool order. */
  engines(): Standing['engines'];
  inFlight(): number;
  /** `evictions` since the router started. */
  cache(): Standing['cache'];
  /** `total` since the router started. */
  connections(): Standing['connections'];
  subscribers(): number;
}

export interface MetricsOptions extends UnaryOptions, WatchOptions {
  /** Throws ADMIN_FORBIDDEN where the caller may not reset. */
  readonly guard: (call: grpc.ServerUnaryCall<unknown, unknown>) => void;
}

export function metricsHandlers(
  metrics: Metrics,
  sources: MetricsSources,
  options: MetricsOptions,
): Pick<MetricsServiceServer, keyof MetricsServiceService> {
  const meter = new Meter(metrics, sources);
  const watches = new Watches(() => meter.read(), options);
  return {
    getMetrics: unary<GetMetricsRequest, GetMetricsResponse>(options, (_request, { startedMs }) => ({
      metrics: meter.read(),
      processingTimeMs: performance.now() - startedMs,
    })),
    resetMetrics: unary<ResetMetricsRequest, ResetMetricsResponse>(
      options,
      (_request, { startedMs }) => ({ metrics: meter.reset(), processingTimeMs: performance.now() - startedMs }),
      options.guard,
    ),
    watchMetrics: (call) => watches.begin(call),
  };
}

/** Puts together what was counted and how things stand. */
class Meter {
  readonly #metrics: Metrics;
  readonly #sources: MetricsSources;
  /** What others count, as it was at the last reset: they keep no account of it. */
  #before = { evictions: 0, connections: 0 };

  constructor(metrics: Metrics, sources: MetricsSources) {
    this.#metrics = metrics;
    this.#sources = sources;
  }

  read(): MetricsMessage {
    const { cache, connections, engines, inFlight, subscribers } = this.#standing();
    const standing: Standing = {
      engines,
      inFlight,
      cache: { entries: cache.entries, bytes: cache.bytes, evictions: cache.evictions - this.#before.evictions },
      connections: { open: connections.open, total: connections.total - this.#before.connections },
      subscribers,
    };
    return toMetrics(this.#metrics.snapshot(), standing, Date.now(), process.uptime());
  }

  /** Returns what was counted until now. */
  reset(): MetricsMessage {
    const until = this.read();
    const { cache, connections } = this.#standing();
    // Whoever is connected counts as opened, so that there are never more open than were opened in all.
    this.#before = { evictions: cache.evictions, connections: connections.total - connections.open };
    this.#metrics.reset();
    return until;
  }

  #standing(): Standing {
    const sources = this.#sources;
    return {
      engines: sources.engines(),
      inFlight: sources.inFlight(),
      cache: sources.cache(),
      connections: sources.connections(),
      subscribers: sources.subscribers(),
    };
  }
}
