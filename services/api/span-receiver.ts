// OTLP for the sidecars: their spans join the router's own, and go on to the user's collector from here. On an address of
// its own, by default on loopback: no caller of the public API is to write into our traces. Bounded by the size of a
// message and by who takes the spans; the sidecars' exporters drop what we do not take in time.
import * as grpc from '@grpc/grpc-js';
import type { Attributes, Span, SpanKind } from '../core/span.ts';
import {
  type ExportTraceServiceRequest,
  type ExportTraceServiceResponse,
  TraceServiceService,
} from '../generated/opentelemetry/proto/collector/trace/v1/trace_service.ts';
import type { AnyValue, KeyValue } from '../generated/opentelemetry/proto/common/v1/common.ts';
import type { Resource } from '../generated/opentelemetry/proto/resource/v1/resource.ts';
import {
  type Span as OtlpSpan,
  Span_SpanKind as Kind,
  Status_StatusCode as StatusCode,
} from '../generated/opentelemetry/proto/trace/v1/trace.ts';
import { bind } from './bind.ts';
import { decoding } from './unary.ts';
import { RouterError } from '../core/errors.ts';
import { toStatus } from './status.ts';

const MAX_MESSAGE_BYTES = 4 * 1_048_576;
/** What one span may bring; what is more is left out. */
const MAX_ATTRIBUTES = 64;
const MAX_EVENTS = 128;
const MAX_TEXT_CHARS = 1_024;

export class SpanReceiver {
  readonly #server = new grpc.Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_concurrent_streams': 64,
    'grpc.enable_channelz': 0,
  });
  #received = 0;

  /** `onSpans` must be quick and must not throw. */
  constructor(onSpans: (spans: readonly Span[]) => void) {
    const { export: method } = TraceServiceService;
    const take: grpc.handleUnaryCall<ExportTraceServiceRequest | RouterError, ExportTraceServiceResponse> = (
      { request },
      reply,
    ) => {
      if (request instanceof RouterError) {
        reply(toStatus(request));
        return;
      }
      const spans = toSpans(request);
      this.#received += spans.length;
      onSpans(spans);
      reply(null, {});
    };
    this.#server.addService(decoding({ export: method }), { export: take });
  }

  /** Spans taken. */
  get received(): number {
    return this.#received;
  }

  /** Resolves to what the sidecars of this machine need as OTEL_EXPORTER_OTLP_ENDPOINT. */
  async start(listen: string): Promise<string> {
    const port = await bind(this.#server, listen);
    return `http://127.0.0.1:${port}`;
  }

  stop(): void {
    this.#server.forceShutdown();
  }
}

export function toSpans({ resourceSpans }: ExportTraceServiceRequest): Span[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.flatMap((span) => toSpan(span, resource) ?? [])),
  );
}

/** Undefined where its ids are none. */
export function toSpan(span: OtlpSpan, resource: Resource | undefined): Span | undefined {
  if (!isId(span.traceId, 16) || !isId(span.spanId, 8)) return undefined;
  const { 'service.name': service, 'service.instance.id': instance } = toAttributes(resource?.attributes ?? []);
  const isFailed = span.status?.code === StatusCode.STATUS_CODE_ERROR;
  return {
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: isId(span.parentSpanId, 8) ? hex(span.parentSpanId) : '',
    name: clip(span.name),
    service: String(service ?? 'unknown_service'),
    instance: String(instance ?? ''),
    kind: KINDS.get(span.kind) ?? 'INTERNAL',
    startMs: toMs(span.startTimeUnixNano),
    durationMs: Math.max(0, Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1e6),
    error: isFailed ? clip(span.status?.message || 'error') : '',
    attributes: toAttributes(span.attributes),
    events: span.events.slice(0, MAX_EVENTS).map(({ name, timeUnixNano, attributes }) => ({
      name: clip(name),
      timeMs: toMs(timeUnixNano),
      attributes: toAttributes(attributes),
    })),
  };
}

const KINDS: ReadonlyMap<Kind, SpanKind> = new Map([
  [Kind.SPAN_KIND_SERVER, 'SERVER'],
  [Kind.SPAN_KIND_CLIENT, 'CLIENT'],
]);

/** Lists and the like are left out: no span of ours has any. */
function toAttributes(list: readonly KeyValue[]): Attributes {
  const attributes: Record<string, string | number | boolean> = {};
  for (const { key, value } of list.slice(0, MAX_ATTRIBUTES)) {
    const plain = toPlain(value);
    if (plain !== undefined) attributes[clip(key)] = plain;
  }
  return attributes;
}

function toPlain(any: AnyValue | undefined): string | number | boolean | undefined {
  const { value } = any ?? {};
  switch (value?.$case) {
    case 'stringValue':
      return clip(value.value);
    case 'intValue':
      return Number(value.value);
    case 'boolValue':
    case 'doubleValue':
      return value.value;
    default:
      return undefined;
  }
}

function isId(bytes: Uint8Array, length: number): boolean {
  return bytes.length === length && bytes.some((byte) => byte !== 0);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** Kept fractional: nanoseconds since 1970 are more than a number holds. */
function toMs(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000n) / 1_000;
}

function clip(text: string): string {
  return text.slice(0, MAX_TEXT_CHARS);
}
