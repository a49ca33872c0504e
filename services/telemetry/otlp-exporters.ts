// OpenTelemetry's OTLP exporters, which know the connection to a collector: its address, headers, certificates, time limits
// and further tries, all from OpenTelemetry's own variables. What they send we have written already; what a library
// reported through the OpenTelemetry API they write themselves.
import { OTLPTraceExporter as OtlpJson } from '@opentelemetry/exporter-trace-otlp-http';
import { type ISerializer, ProtobufTraceSerializer, TraceExporterMetricsHelper } from '@opentelemetry/otlp-transformer';
import { OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import { convertLegacyHttpOptions, createOtlpHttpExportDelegate } from '@opentelemetry/otlp-exporter-base/node-http';
import { convertLegacyOtlpGrpcOptions, createOtlpGrpcExportDelegate } from '@opentelemetry/otlp-grpc-exporter-base';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { OtlpProtocol } from '../config/otel.ts';
import type { EncodedSpan, SpanSource } from '../core/encoded-span.ts';
import { OutgoingSpan } from './outgoing-span.ts';
import { toRequest } from './otlp-batch.ts';
import { toReadable } from './readable-span.ts';
import type { SpanDecoder } from './trace-ring.ts';

const GRPC_METHOD = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

/** `own`: what this process says of itself. */
export function exporterOf(protocol: OtlpProtocol, own: Resource, decode: SpanDecoder): SpanExporter {
  switch (protocol) {
    case 'grpc':
      return new OTLPExporterBase(
        createOtlpGrpcExportDelegate(
          convertLegacyOtlpGrpcOptions({}, 'TRACES'),
          serializer(own),
          'otlp_grpc_span_exporter',
          TraceExporterMetricsHelper,
          undefined,
          'TraceExportService',
          GRPC_METHOD,
        ),
      );
    case 'http/protobuf':
      return new OTLPExporterBase(
        createOtlpHttpExportDelegate(
          convertLegacyHttpOptions({}, 'TRACES', 'v1/traces', { 'Content-Type': 'application/x-protobuf' }),
          serializer(own),
          'otlp_http_span_exporter',
          TraceExporterMetricsHelper,
          undefined,
        ),
      );
    case 'http/json':
      return new Decoding(own, decode);
  }
}

type Serializer = ISerializer<ReadableSpan[], ReturnType<typeof ProtobufTraceSerializer.deserializeResponse>>;

function serializer(own: Resource): Serializer {
  let ownBytes: Uint8Array | undefined; // of its first batch: by then all of it is known
  return {
    serializeRequest(spans) {
      const encoded: EncodedSpan[] = [];
      const others: ReadableSpan[] = [];
      for (const span of spans) {
        if (span instanceof OutgoingSpan) encoded.push(span.encoded);
        else others.push(span);
      }
      ownBytes ??= toBytes(own);
      const request = toRequest(encoded, ownBytes);
      if (others.length === 0) return request;
      // One message after the other is one with the spans of both.
      return Buffer.concat([request, ProtobufTraceSerializer.serializeRequest(others) ?? new Uint8Array(0)]);
    },
    deserializeResponse: (bytes) => ProtobufTraceSerializer.deserializeResponse(bytes),
  };
}

/** As OpenTelemetry writes it: the first field of the first field of a request. */
function toBytes(resource: Resource): Uint8Array {
  const none = { traceId: '', spanId: '', parentSpanId: '', traceState: '', name: '', service: '', instance: '' };
  const times = { startMs: 0, durationMs: 0 };
  const span = toReadable({ ...none, ...times, kind: 'INTERNAL', error: '', attributes: {}, events: [] }, resource);
  const request = ProtobufTraceSerializer.serializeRequest([span])!;
  return firstField(firstField(request));
}

function firstField(message: Uint8Array): Uint8Array {
  let length = 0;
  let at = 1; // its tag
  for (let shift = 0; ; shift += 7) {
    const byte = message[at++]!;
    length += (byte & 127) << shift;
    if (byte < 128) break;
  }
  return message.subarray(at, at + length);
}

/** JSON has a form of its own: spans are read again for it. */
class Decoding extends OtlpJson {
  readonly #own: Resource;
  readonly #decode: SpanDecoder;
  readonly #resources = new WeakMap<SpanSource, Resource>();

  constructor(own: Resource, decode: SpanDecoder) {
    super();
    this.#own = own;
    this.#decode = decode;
  }

  override export(spans: ReadableSpan[], done: Parameters<OtlpJson['export']>[1]): void {
    super.export(
      spans.flatMap((span) => this.#read(span) ?? []),
      done,
    );
  }

  #read(span: ReadableSpan): ReadableSpan | undefined {
    if (!(span instanceof OutgoingSpan)) return span;
    const decoded = this.#decode(span.encoded);
    return decoded && toReadable(decoded, this.#resourceOf(span.encoded.source));
  }

  #resourceOf(source: SpanSource): Resource {
    if (source.resource === undefined) return this.#own;
    const { service, instance } = source;
    const known = this.#resources.get(source);
    const made = known ?? resourceFromAttributes({ 'service.name': service, 'service.instance.id': instance });
    if (known === undefined) this.#resources.set(source, made);
    return made;
  }
}
