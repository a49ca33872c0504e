// Converts the settings to the options of each part.
import type { BudgetLimits } from '../agents/provider/budget.ts';
import type { CallerLimits } from '../auth/caller-account.ts';
import type { StoreOptions } from '../cache/answer-store.ts';
import type { OtelSettings } from '../config/otel.ts';
import type { Settings } from '../config/schema.ts';
import type { LiveApiOptions } from '../api/server.ts';
import type { BridgeSettings } from '../api/bridge/bridge.ts';
import type { BreakerOptions } from '../engines/breaker.ts';
import type { QuarantineOptions } from '../engines/quarantine.ts';
import type { AdmissionOptions } from '../routing/admission.ts';
import { type Answer, sizeOf, withOwnBytes } from '../routing/answer.ts';
import type { RouterOptions } from '../routing/options.ts';
import type { AlertOptions } from '../telemetry/alerts.ts';
import type { TracingOptions } from '../telemetry/tracing.ts';

export function breakerOptions({ breaker }: Settings): BreakerOptions {
  return {
    failurePercent: breaker.failure_percent,
    minRequests: breaker.min_requests,
    windowMs: breaker.window_ms,
    resetMs: breaker.reset_ms,
  };
}

export function budgetLimits({ agents: { budget } }: Settings): BudgetLimits {
  return {
    windowMs: budget.window_ms,
    tokens: budget.tokens,
    usd: budget.usd,
    callerTokens: budget.caller_tokens,
    callerUsd: budget.caller_usd,
  };
}

export function quarantineOptions({ quarantine }: Settings): QuarantineOptions {
  return {
    dissents: quarantine.dissents,
    windowMs: quarantine.window_ms,
    sitOutMs: quarantine.sit_out_ms,
    sitOutMaxMs: quarantine.sit_out_max_ms,
  };
}

export function alertOptions({ alerts }: Settings): AlertOptions {
  return {
    intervalMs: alerts.interval_ms,
    windowMs: alerts.window_ms,
    forMs: alerts.for_ms,
    errorRatio: alerts.error_ratio,
    p99Ms: alerts.p99_ms,
    memoryBytes: alerts.memory_bytes,
    cacheCollapse: alerts.cache_collapse,
  };
}

export function cacheOptions({ cache }: Settings): StoreOptions<Answer> {
  return {
    maxEntries: cache.max_entries,
    maxBytes: cache.max_bytes,
    ttlMs: cache.ttl_ms,
    staleMs: cache.stale_ms,
    sizeOf,
    copyOf: withOwnBytes,
  };
}

export function admissionOptions({ overload }: Settings): AdmissionOptions {
  return { maxQueue: overload.max_queue, maxWaitMs: overload.max_wait_ms };
}

/** `otel`: OpenTelemetry's variable decides the sampling if it is set. */
export function tracingOptions(
  { tracing }: Settings,
  otel: OtelSettings,
): Pick<TracingOptions, 'sampler' | 'callerSamplesPerS' | 'slowMs' | 'withLayers'> {
  return {
    sampler: otel.sampler ?? { isParentBased: true, ratio: tracing.ratio },
    callerSamplesPerS: tracing.caller_samples_per_s,
    slowMs: tracing.slow_ms,
    withLayers: tracing.layers,
  };
}

export function callerLimits({ callers }: Settings): CallerLimits {
  return {
    perS: callers.per_s,
    maxCalls: callers.max_calls,
    maxItems: callers.max_items,
    maxBytes: callers.max_bytes,
  };
}

export function bridgeOptions({ bridge }: Settings): BridgeSettings | undefined {
  if (['', 'off'].includes(bridge.listen)) return undefined;
  return {
    listen: bridge.listen,
    maxLineBytes: bridge.max_line_bytes,
    maxConnections: bridge.max_connections,
    allowsReset: bridge.reset,
  };
}

export function liveApiOptions(settings: Settings): LiveApiOptions {
  return {
    maxBatchItems: settings.max_batch_items,
    maxInFlight: settings.max_in_flight,
    windowSize: settings.stream_window,
    timeoutMs: settings.request_timeout_ms,
  };
}

/** The options of the router that come from settings; its other options are parts. */
export function routerOptions(
  settings: Settings,
): Pick<
  RouterOptions,
  | 'localFirstShare'
  | 'sidecarFirstShare'
  | 'vote'
  | 'maxInFlight'
  | 'slowStartMs'
  | 'minEngines'
  | 'maxAttempts'
  | 'attemptTimeoutMs'
> {
  const { retry, ready } = settings;
  return {
    localFirstShare: settings.local_first_share,
    sidecarFirstShare: settings.sidecar_first_share,
    vote: settings.vote,
    maxInFlight: settings.max_in_flight,
    slowStartMs: settings.slow_start_ms,
    minEngines: ready.min_engines,
    maxAttempts: retry.max_attempts,
    attemptTimeoutMs: retry.attempt_timeout_ms,
  };
}
