// MetricsService: returns the metrics once, or at an interval.
import {
  type GetMetricsRequest,
  type GetMetricsResponse,
  MetricsServiceService,
  type ResetMetricsRequest,
  type ResetMetricsResponse,
} from '../generated/tandem/v1/metrics.ts';
import type { Method } from '../grpc/method.ts';
import type { Meter } from '../telemetry/meter.ts';
import { decoding } from './decoding.ts';
import { methodsOf } from './methods.ts';
import { toMetrics } from './metrics-message.ts';
import { type WatchOptions, Watches } from './metrics-watch.ts';
import { checkPlain } from './request-limits.ts';
import { type UnaryOptions, unary } from './unary.ts';

export const metricsService = decoding(MetricsServiceService, {
  getMetrics: checkPlain,
  resetMetrics: checkPlain,
  watchMetrics: checkPlain,
});

export type MetricsOptions = UnaryOptions & WatchOptions;

export function metricsMethods(meter: Meter, options: MetricsOptions): Method[] {
  const watches = new Watches(() => toMetrics(meter.read(), process.uptime()), options);
  return methodsOf(metricsService, {
    getMetrics: unary<GetMetricsRequest, GetMetricsResponse>(options, (_request, { startedMs }) => ({
      metrics: toMetrics(meter.read(), process.uptime()),
      processingTimeMs: performance.now() - startedMs,
    })),
    resetMetrics: unary<ResetMetricsRequest, ResetMetricsResponse>(options, (_request, { startedMs }) => ({
      metrics: toMetrics(meter.reset(), process.uptime()),
      processingTimeMs: performance.now() - startedMs,
    })),
    watchMetrics: (call, request) => watches.begin(call, request),
  });
}
