// A span in the form of OpenTelemetry's SDK, for a protocol other than protobuf.
import { SpanKind as OtelKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { TraceState } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Span, SpanKind } from '../core/span.ts';

const SCOPE = { name: 'tandem' };
const KINDS: Readonly<Record<SpanKind, OtelKind>> = {
  INTERNAL: OtelKind.INTERNAL,
  SERVER: OtelKind.SERVER,
  CLIENT: OtelKind.CLIENT,
};
const FINE = { code: SpanStatusCode.UNSET };

export function toReadable(span: Span, resource: Resource): ReadableSpan {
  const { traceId, spanId, parentSpanId, traceState: state, error } = span;
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
