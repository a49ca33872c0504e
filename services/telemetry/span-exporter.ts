// Kept spans to a collector: OpenTelemetry's Node SDK with its batch processor and OTLP exporters, fed with spans that are
// finished. What a library reports through the OpenTelemetry API goes the same way.
// Loaded only where there is an endpoint. A collector that is slow or away costs a full queue: what does not fit is counted,
// and no request waits for it.
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter as OtelExporter } from '@opentelemetry/sdk-trace';
import type { ExportSettings } from '../config/otel.ts';
import { atMost } from '../core/at-most.ts';
import type { EncodedSpan, SpanSource } from '../core/encoded-span.ts';
import { exporterOf } from './otlp-exporters.ts';
import { OutgoingSpan } from './outgoing-span.ts';
import { Reach, type ReachEvents } from './reach.ts';
import { Resources } from './resources.ts';
import type { SpanDecoder } from './trace-store.ts';

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

export class SpanExporter {
  readonly #sdk: NodeSDK;
  readonly #processor: BatchSpanProcessor;
  readonly #maxQueue: number;
  readonly #sender: Sender;
  readonly #own: Resource;
  #dropped = 0;

  /** `source`: this process. `decode`: for a protocol that is no bytes. */
  constructor(settings: ExportSettings, source: SpanSource, decode: SpanDecoder, events: ReachEvents) {
    const { maxQueue, maxBatch, delayMs, timeoutMs } = settings;
    this.#maxQueue = maxQueue;
    const resources = new Resources(source);
    this.#own = resources.own;
    this.#sender = new Sender(exporterOf(settings.protocol, resources, decode), events);
    this.#processor = new BatchSpanProcessor({
      exporter: this.#sender,
      maxQueueSize: maxQueue,
      maxExportBatchSize: Math.min(maxBatch, maxQueue),
      scheduledDelayMillis: delayMs,
      exportTimeoutMillis: timeoutMs,
    });
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
  export(spans: readonly EncodedSpan[]): void {
    for (const span of spans) {
      if (this.#sender.queued >= this.#maxQueue) {
        this.#dropped += 1;
        continue;
      }
      this.#sender.queued += 1;
      this.#processor.onEnd(new OutgoingSpan(span, this.#own) as unknown as ReadableSpan);
    }
  }

  /** Sends what is left, for at most `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    await atMost(timeoutMs, this.#sdk.shutdown());
  }
}

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
