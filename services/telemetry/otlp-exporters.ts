// OpenTelemetry's OTLP exporters. They handle the connection to a collector: address, headers, certificates, time
// limits and retries, all from OpenTelemetry's own variables. Our spans are already encoded; the exporters encode only
// spans that a library reported through the OpenTelemetry API.
import { OTLPTraceExporter as OtlpJson } from '@opentelemetry/exporter-trace-otlp-http';
import { type ISerializer, ProtobufTraceSerializer, TraceExporterMetricsHelper } from '@opentelemetry/otlp-transformer';
import { OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import { convertLegacyHttpOptions, createOtlpHttpExportDelegate } from '@opentelemetry/otlp-exporter-base/node-http';
import { convertLegacyOtlpGrpcOptions, createOtlpGrpcExportDelegate } from '@opentelemetry/otlp-grpc-exporter-base';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { OtlpProtocol } from '../config/otel.ts';
import type { EncodedSpans } from '../core/encoded-spans.ts';
import { OutgoingSpans } from './outgoing-spans.ts';
import { toRequest } from './otlp-batch.ts';
import { toReadable } from './readable-span.ts';
import type { Resources } from './resources.ts';
import type { SpanDecoder } from './trace-store.ts';

const GRPC_METHOD = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

export function exporterOf(protocol: OtlpProtocol, resources: Resources, decode: SpanDecoder): SpanExporter {
  switch (protocol) {
    case 'grpc':
      return new OTLPExporterBase(
        createOtlpGrpcExportDelegate(
          // eslint-disable-next-line @typescript-eslint/no-deprecated -- OpenTelemetry's own exporters use it, too
          convertLegacyOtlpGrpcOptions({}, 'TRACES'),
          serializer(resources),
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
          // eslint-disable-next-line @typescript-eslint/no-deprecated -- OpenTelemetry's own exporters use it, too
          convertLegacyHttpOptions({}, 'TRACES', 'v1/traces', { 'Content-Type': 'application/x-protobuf' }),
          serializer(resources),
          'otlp_http_span_exporter',
          TraceExporterMetricsHelper,
          undefined,
        ),
      );
    case 'http/json':
      return new Decoding(resources, decode);
  }
}

type Serializer = ISerializer<ReadableSpan[], ReturnType<typeof ProtobufTraceSerializer.deserializeResponse>>;

function serializer(resources: Resources): Serializer {
  return {
    serializeRequest(spans) {
      const encoded: EncodedSpans[] = [];
      const others: ReadableSpan[] = [];
      for (const span of spans) {
        if (span instanceof OutgoingSpans) encoded.push(span.encoded);
        else others.push(span);
      }
      const request = toRequest(encoded, (source) => resources.bytesOf(source));
      if (others.length === 0) return request;
      // Two encoded messages, joined, are one message with the spans of both.
      return Buffer.concat([request, ProtobufTraceSerializer.serializeRequest(others) ?? new Uint8Array(0)]);
    },
    deserializeResponse: (bytes) => ProtobufTraceSerializer.deserializeResponse(bytes),
  };
}

/** For JSON the encoded spans are decoded again. */
class Decoding extends OtlpJson {
  readonly #resources: Resources;
  readonly #decode: SpanDecoder;

  constructor(resources: Resources, decode: SpanDecoder) {
    super();
    this.#resources = resources;
    this.#decode = decode;
  }

  override export(spans: ReadableSpan[], done: Parameters<OtlpJson['export']>[1]): void {
    super.export(
      spans.flatMap((span) => this.#read(span)),
      done,
    );
  }

  #read(span: ReadableSpan): ReadableSpan[] {
    if (!(span instanceof OutgoingSpans)) return [span];
    const resource = this.#resources.of(span.encoded.source);
    return this.#decode(span.encoded).map((each) => toReadable(each, resource));
  }
}
