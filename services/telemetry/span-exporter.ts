// Kept spans to a collector: OpenTelemetry's Node SDK with its batch processor and OTLP exporters, fed with spans that are
// finished. What a library reports through the OpenTelemetry API goes the same way.
// Loaded only where there is an endpoint. A collector that is slow or away costs a full queue: what does not fit is counted,
// and nobody waits.
import { type ExportResult, ExportResultCode, TraceState } from '@opentelemetry/core';
import { SpanKind as OtelKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { OTLPTraceExporter as OtlpGrpc } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as OtlpJson } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as OtlpHttp } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  type Resource,
  defaultResource,
  detectResources,
  hostDetector,
  osDetector,
  processDetector,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter as OtelExporter } from '@opentelemetry/sdk-trace';
import type { ExportSettings, OtlpProtocol } from '../config/otel.ts';
import { atMost } from '../core/at-most.ts';
import type { Span, SpanKind } from '../core/span.ts';
import { Reach, type ReachEvents } from './reach.ts';

export interface ExportCounts {
  /** Taken by the collector. */
  readonly exported: number;
  /** The queue was full. */
  readonly dropped: number;
  /** Sent, and refused or lost. */
  readonly failed: number;
  /** Waiting to be sent. */
  readonly queued: number;
}

/** Where spans are made: what they all say about it. */
export interface Origin {
  readonly service: string;
  readonly instance: string;
}

export class SpanExporter {
  readonly #sdk: NodeSDK;
  readonly #processor: BatchSpanProcessor;
  readonly #maxQueue: number;
  readonly #sender: Sender;
  readonly #origin: Origin;
  readonly #own: Resource;
  /** What the sidecars that this router started have in common with it: the machine, and what the user says of it all. */
  readonly #shared = detectResources({ detectors: [hostDetector, resourceAttributesEnvDetector] });
  readonly #foreign = new Map<string, Resource>();
  #dropped = 0;

  constructor(settings: ExportSettings, origin: Origin, events: ReachEvents) {
    const { maxQueue, maxBatch, delayMs, timeoutMs } = settings;
    this.#maxQueue = maxQueue;
    this.#sender = new Sender(exporterOf(settings.protocol), events);
    this.#processor = new BatchSpanProcessor({
      exporter: this.#sender,
      maxQueueSize: maxQueue,
      maxExportBatchSize: Math.min(maxBatch, maxQueue),
      scheduledDelayMillis: delayMs,
      exportTimeoutMillis: timeoutMs,
    });
    this.#origin = origin;
    this.#own = detectedResource(origin);
    this.#sdk = new NodeSDK({
      ...{ resource: this.#own, autoDetectResources: false, spanProcessors: [this.#processor] },
      // Metrics and logs go ways of their own, and trace context is read and written where requests come and go.
      ...{ metricReaders: [], logRecordProcessors: [], textMapPropagator: null, instrumentations: [] },
    });
    this.#sdk.start();
  }

  get counts(): ExportCounts {
    const { exported, failed, queued } = this.#sender;
    return { exported, failed, queued, dropped: this.#dropped };
  }

  /** Of one trace, or as a sidecar sent them. Never throws, never waits. */
  export(spans: readonly Span[], traceState: string): void {
    for (const span of spans) {
      if (this.#sender.queued >= this.#maxQueue) {
        this.#dropped += 1;
        continue;
      }
      this.#sender.queued += 1;
      this.#processor.onEnd(toReadable(span, traceState, this.#resourceOf(span)));
    }
  }

  /** Sends what is left, for at most `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    await atMost(timeoutMs, this.#sdk.shutdown());
  }

  #resourceOf({ service, instance }: Span): Resource {
    if (service === this.#origin.service && instance === this.#origin.instance) return this.#own;
    const key = `${service} ${instance}`;
    const known = this.#foreign.get(key);
    if (known !== undefined) return known;
    if (this.#foreign.size >= MAX_FOREIGN) this.#foreign.clear(); // cheap to make anew
    const made = this.#shared.merge(
      resourceFromAttributes({ 'service.name': service, 'service.instance.id': instance }),
    );
    this.#foreign.set(key, made);
    return made;
  }
}

/** Sidecars have names of their own, each restart none that is new. */
const MAX_FOREIGN = 256;

/** The exporter, counted. */
class Sender implements OtelExporter {
  queued = 0;
  exported = 0;
  failed = 0;
  readonly #exporter: OtelExporter;
  readonly #reach: Reach;

  constructor(exporter: OtelExporter, events: ReachEvents) {
    this.#exporter = exporter;
    this.#reach = new Reach(events);
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.queued -= spans.length;
    this.#exporter.export(spans, (result) => {
      if (result.code === ExportResultCode.SUCCESS) this.exported += spans.length;
      else this.failed += spans.length;
      this.#reach.note(result);
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }
}

function exporterOf(protocol: OtlpProtocol): OtelExporter {
  switch (protocol) {
    case 'grpc':
      return new OtlpGrpc();
    case 'http/protobuf':
      return new OtlpHttp();
    case 'http/json':
      return new OtlpJson();
  }
}

/** What the user says in OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES comes last, and wins. */
function detectedResource({ service, instance }: Origin): Resource {
  const detectors = [hostDetector, osDetector, processDetector, resourceAttributesEnvDetector, serviceNameEnvDetector];
  return defaultResource()
    .merge(resourceFromAttributes({ 'service.name': service, 'service.instance.id': instance }))
    .merge(detectResources({ detectors }));
}

const SCOPE = { name: 'tandem' };
const KINDS: Readonly<Record<SpanKind, OtelKind>> = {
  INTERNAL: OtelKind.INTERNAL,
  SERVER: OtelKind.SERVER,
  CLIENT: OtelKind.CLIENT,
};
const FINE = { code: SpanStatusCode.UNSET };

function toReadable(span: Span, state: string, resource: Resource): ReadableSpan {
  const { traceId, spanId, parentSpanId, error } = span;
  const traceFlags = TraceFlags.SAMPLED;
  const context = { traceId, spanId, traceFlags, ...(state === '' ? {} : { traceState: new TraceState(state) }) };
  return {
    name: span.name,
    kind: KINDS[span.kind],
    spanContext: () => context,
    ...(parentSpanId === '' ? {} : { parentSpanContext: { traceId, spanId: parentSpanId, traceFlags } }),
    startTime: toHrTime(span.startMs),
    endTime: toHrTime(span.startMs + span.durationMs),
    duration: toHrTime(span.durationMs),
    status: error === '' ? FINE : { code: SpanStatusCode.ERROR, message: error },
    attributes: span.attributes,
    links: [],
    events: span.events.map(({ name, timeMs, attributes }) => ({ name, time: toHrTime(timeMs), attributes })),
    ended: true,
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function toHrTime(ms: number): [seconds: number, nanoseconds: number] {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.floor((ms - seconds * 1_000) * 1e6)];
}
