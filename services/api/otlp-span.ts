// Decodes a span from OTLP.
import type { EncodedSpans, SpanSource } from '../core/encoded-spans.ts';
import type { Attributes, Span, SpanKind } from '../core/span.ts';
import { Fields } from './otlp-scan.ts';
import type { ExportTraceServiceRequest } from '../generated/opentelemetry/proto/collector/trace/v1/trace_service.ts';
import type { AnyValue, KeyValue } from '../generated/opentelemetry/proto/common/v1/common.ts';
import { Resource } from '../generated/opentelemetry/proto/resource/v1/resource.ts';
import {
  type Span as OtlpSpan,
  ScopeSpans,
  Span_SpanKind as Kind,
  Status_StatusCode as StatusCode,
} from '../generated/opentelemetry/proto/trace/v1/trace.ts';

/** Limits for one span; the rest is left out. */
const MAX_ATTRIBUTES = 64;
const MAX_EVENTS = 128;
const MAX_TEXT_CHARS = 1_024;

/** Spans that are malformed or have invalid ids are left out. */
export function decodeSpans({ memory, start, end, source }: EncodedSpans): Span[] {
  const spans: Span[] = [];
  for (const elements = new Fields(memory, start, end); elements.next();) {
    const span = decodeSpan(memory.subarray(elements.tagAt, elements.end), source);
    if (span !== undefined) spans.push(span);
  }
  return spans;
}

function decodeSpan(element: Uint8Array, source: SpanSource): Span | undefined {
  try {
    const [span] = ScopeSpans.decode(element).spans;
    return span && toSpan(span, source);
  } catch {
    return undefined; // the framing was valid, the content is not
  }
}

/** `resource`: an encoded opentelemetry.proto.resource.v1.Resource. Throws if it is malformed. */
export function toSource(resource: Uint8Array): SpanSource {
  return toOrigin(Resource.decode(resource));
}

function toOrigin(resource: Resource | undefined): SpanSource {
  const { 'service.name': service, 'service.instance.id': instance } = toAttributes(resource?.attributes ?? []);
  return { service: String(service ?? 'unknown_service'), instance: String(instance ?? '') };
}

export function toSpans({ resourceSpans }: ExportTraceServiceRequest): Span[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const origin = toOrigin(resource);
    return scopeSpans.flatMap(({ spans }) => spans.flatMap((span) => toSpan(span, origin) ?? []));
  });
}

/** Undefined if its ids are invalid. */
export function toSpan(span: OtlpSpan, { service, instance }: SpanSource): Span | undefined {
  if (!isId(span.traceId, 16) || !isId(span.spanId, 8)) return undefined;
  const isFailed = span.status?.code === StatusCode.STATUS_CODE_ERROR;
  return {
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: isId(span.parentSpanId, 8) ? hex(span.parentSpanId) : '',
    traceState: clip(span.traceState),
    name: clip(span.name),
    service,
    instance,
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

/** Lists and other composite values are left out: none of our spans has them. */
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

/** Milliseconds with a fraction: nanoseconds since 1970 do not fit a number. */
function toMs(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000n) / 1_000;
}

function clip(text: string): string {
  return text.slice(0, MAX_TEXT_CHARS);
}
