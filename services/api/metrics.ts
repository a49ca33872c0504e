// MetricsService: what was counted, once or again and again.
import type * as grpc from '@grpc/grpc-js';
import {
  type GetMetricsRequest,
  type GetMetricsResponse,
  type MetricsServiceServer,
  MetricsServiceService,
  type ResetMetricsRequest,
  type ResetMetricsResponse,
} from '../generated/tandem/v1/metrics.ts';
import type { Meter } from '../telemetry/meter.ts';
import { decoding } from './decoding.ts';
import { toMetrics } from './metrics-message.ts';
import { type WatchOptions, Watches } from './metrics-watch.ts';
import { checkPlain } from './request-limits.ts';
import { type UnaryOptions, unary } from './unary.ts';

export const metricsService = decoding(MetricsServiceService, {
  getMetrics: checkPlain,
  resetMetrics: checkPlain,
  watchMetrics: checkPlain,
});

export interface MetricsOptions extends UnaryOptions, WatchOptions {
  /** Throws ADMIN_FORBIDDEN where the caller may not reset. */
  readonly guard: (call: grpc.ServerUnaryCall<unknown, unknown>) => void;
}

export function metricsHandlers(
  meter: Meter,
  options: MetricsOptions,
): Pick<MetricsServiceServer, keyof MetricsServiceService> {
  const watches = new Watches(() => toMetrics(meter.read(), process.uptime()), options);
  return {
    getMetrics: unary<GetMetricsRequest, GetMetricsResponse>(options, (_request, { startedMs }) => ({
      metrics: toMetrics(meter.read(), process.uptime()),
      processingTimeMs: performance.now() - startedMs,
    })),
    resetMetrics: unary<ResetMetricsRequest, ResetMetricsResponse>(
      options,
      (_request, { startedMs }) => ({
        metrics: toMetrics(meter.reset(), process.uptime()),
        processingTimeMs: performance.now() - startedMs,
      }),
      options.guard,
    ),
    watchMetrics: (call) => watches.begin(call),
  };
}
