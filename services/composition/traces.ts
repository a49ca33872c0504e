// Traces: recorded by the router and its sidecars, stored for the dashboard, exported to a collector.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { hostname } from 'node:os';
import { decodeSpans } from '../api/otlp-span.ts';
import { SpanReceiver } from '../api/span-receiver.ts';
import type { OtelSettings } from '../config/otel.ts';
import type { Settings } from '../config/schema.ts';
import type { EncodedSpans, SpanSource } from '../core/encoded-spans.ts';
import { plainAddress } from '../core/loopback.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ExportCounts, SpanExporter } from '../telemetry/span-exporter.ts';
import { type TraceKind, TraceStore } from '../telemetry/trace-store.ts';
import { SERVICE, Tracing } from '../telemetry/tracing.ts';
import { tracingOptions } from './options.ts';

/** Limit at a stop, so that an unreachable collector does not delay a restart. */
const LAST_SPANS_MS = 1_000;

export interface Traces {
  readonly store: TraceStore;
  readonly tracing: Tracing;
  /** Where sidecars send theirs, as OTEL_EXPORTER_OTLP_ENDPOINT has it; undefined: nowhere. */
  readonly spansTo: string | undefined;
  /** The token with which sidecars started by this router send spans. */
  readonly spanToken: string;
  /** Undefined: spans are sent nowhere. */
  exported(): ExportCounts | undefined;
  /** Spans that were dropped instead of stored or sent. */
  dropped(): number;
  stop(): Promise<void>;
}

/** `engineAddresses`: IP addresses of connected engines that the router has not started. */
export async function startTraces(
  settings: Settings,
  otel: OtelSettings,
  metrics: Metrics,
  log: Log,
  engineAddresses: () => ReadonlySet<string>,
): Promise<Traces> {
  const store = new TraceStore(decodeSpans);
  const source: SpanSource = { service: SERVICE, instance: hostname() };
  const exporter = await spanExporter(settings, otel, source, log);
  const keep = (spans: EncodedSpans, kind?: TraceKind): void => {
    store.add(spans, kind);
    exporter?.export(spans);
  };
  const tracing = new Tracing({
    ...tracingOptions(settings, otel),
    enabled: settings.tracing.enabled,
    source,
    onKept: keep,
    onExample: (method, durationMs, traceId) => metrics.exemplar(durationMs, traceId, method),
    onEnded: ({ traceId, about, failure }, durationMs) => {
      if (!log.isLevelEnabled('debug')) return;
      log.debug(
        { trace_id: traceId, rpc: about.name, outcome: failure?.kind ?? 'OK', duration_ms: durationMs },
        'request',
      );
    },
  });
  const spanToken = randomBytes(32).toString('base64url');
  const expected = Buffer.from(`Bearer ${spanToken}`);
  const receiver = new SpanReceiver(
    (lists) => {
      for (const spans of lists) keep(spans);
    },
    settings.edge,
    (authorization, address) => {
      const given = Buffer.from(authorization ?? '');
      if (given.length === expected.length && timingSafeEqual(given, expected)) return true;
      return engineAddresses().has(plainAddress(address));
    },
  );
  const spansTo = settings.tracing.enabled ? await receiver.start(settings.tracing.span_listen) : undefined;
  return {
    ...{ store, tracing, spansTo, spanToken },
    exported: () => exporter?.counts,
    dropped: () => {
      const lost = exporter === undefined ? 0 : exporter.counts.dropped + exporter.counts.failed;
      return tracing.counts.dropped + lost;
    },
    stop: async () => {
      receiver.stop();
      await exporter?.stop(LAST_SPANS_MS);
    },
  };
}

/** OpenTelemetry's packages take half a second to load, so they are loaded only if spans are exported. */
async function spanExporter(
  { tracing }: Settings,
  otel: OtelSettings,
  source: SpanSource,
  log: Log,
): Promise<SpanExporter | undefined> {
  if (otel.export === undefined || !tracing.enabled) return undefined;
  const { endpoint, protocol } = otel.export;
  const exporting = await import('../telemetry/span-exporter.ts');
  return new exporting.SpanExporter(otel.export, source, decodeSpans, {
    failing: (why) => log.warn({ endpoint, protocol, why }, 'spans do not reach the collector; they are counted'),
    recovered: () => log.info({ endpoint, protocol }, 'spans reach the collector again'),
  });
}
