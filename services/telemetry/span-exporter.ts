// Sends kept spans to a collector: OpenTelemetry's Node SDK with its batch processor and OTLP exporters gets finished
// spans. Spans that a library reports through the OpenTelemetry API take the same way. Loaded only if there is an
// endpoint. If a collector is slow or unreachable, the queue fills. Spans that do not fit are counted, and no request
// waits.
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter as OtelExporter } from '@opentelemetry/sdk-trace';
import type { ExportSettings } from '../config/otel.ts';
import { atMost } from '../core/at-most.ts';
import type { EncodedSpans, SpanSource } from '../core/encoded-spans.ts';
import { exporterOf } from './otlp-exporters.ts';
import { OutgoingSpans, SpanPlaceholder } from './outgoing-spans.ts';
import { Reach, type ReachEvents } from './reach.ts';
import { Resources } from './resources.ts';
import type { SpanDecoder } from './trace-store.ts';

export interface ExportCounts {
  /** Accepted by the collector. */
  readonly exported: number;
  /** The queue was full. */
  readonly dropped: number;
  /** Sent, but refused or lost. */
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
  readonly #placeholder: ReadableSpan;
  #dropped = 0;

  /** `source`: this process. `decode`: for JSON. */
  constructor(settings: ExportSettings, source: SpanSource, decode: SpanDecoder, events: ReachEvents) {
    const { maxQueue, maxBatch, delayMs, timeoutMs } = settings;
    this.#maxQueue = maxQueue;
    const resources = new Resources(source);
    this.#own = resources.own;
    this.#placeholder = new SpanPlaceholder(this.#own) as unknown as ReadableSpan;
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
      // Metrics and logs are sent elsewhere, and trace context is handled where requests are received and sent.
      ...{ metricReaders: [], logRecordProcessors: [], textMapPropagator: null, instrumentations: [] },
    });
    this.#sdk.start();
  }

  get counts(): ExportCounts {
    const { exported, failed, queued } = this.#sender;
    return { exported, failed, queued, dropped: this.#dropped };
  }

  /** All of them or none. Never throws, never waits. */
  export(spans: EncodedSpans): void {
    const sender = this.#sender;
    if (sender.queued + spans.count > this.#maxQueue) {
      this.#dropped += spans.count;
      return;
    }
    sender.queued += spans.count;
    for (let more = 1; more < spans.count; more += 1) this.#processor.onEnd(this.#placeholder);
    this.#processor.onEnd(new OutgoingSpans(spans, this.#own) as unknown as ReadableSpan);
  }

  /** Sends the remaining spans, for at most `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    await atMost(timeoutMs, this.#sdk.shutdown());
  }
}

/** The exporter, with counts. It gets as many elements as there are spans. */
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
    const real = spans.filter((span) => !((span as unknown) instanceof SpanPlaceholder));
    if (real.length === 0) {
      this.exported += spans.length;
      done({ code: ExportResultCode.SUCCESS });
      return;
    }
    this.#exporter.export(real, (result) => {
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
