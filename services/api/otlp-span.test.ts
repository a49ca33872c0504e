import { describe, expect, it } from '@jest/globals';
import { EncodedSpans } from '../core/encoded-spans.ts';
import { Resource } from '../generated/opentelemetry/proto/resource/v1/resource.ts';
import { ScopeSpans, Span as OtlpSpan } from '../generated/opentelemetry/proto/trace/v1/trace.ts';
import { decodeSpans, toSource, toSpan } from './otlp-span.ts';

const IDS = { traceId: Buffer.alloc(16, 0xab), spanId: Buffer.alloc(8, 0xcd) };
const SOURCE = { service: 'tandem-engine', instance: 'engine-1' };
const text = (key: string, value: string) => ({ key, value: { value: { $case: 'stringValue', value } } }) as const;

function span(over: object): OtlpSpan {
  return OtlpSpan.fromPartial({ ...IDS, name: 'infer', ...over });
}

describe('toSpan', () => {
  it('converts all fields', () => {
    const attributes = [
      text('a', 'b'),
      { key: 'n', value: { value: { $case: 'intValue', value: -3n } } },
      { key: 'x', value: { value: { $case: 'doubleValue', value: 0.5 } } },
      { key: 'yes', value: { value: { $case: 'boolValue', value: true } } },
      { key: 'list', value: { value: { $case: 'arrayValue', value: { values: [] } } } },
      { key: 'nothing', value: undefined },
    ];
    const times = { startTimeUnixNano: 1_795_317_295_952_107_250n, endTimeUnixNano: 1_795_317_295_953_357_250n };
    const events = [{ timeUnixNano: times.startTimeUnixNano, name: 'cancelled', attributes: [text('why', 'x')] }];
    const status = { code: 2, message: 'NON_FINITE' };
    expect(toSpan(span({ traceState: 'vendor=1', attributes, events, status, kind: 2, ...times }), SOURCE)).toEqual({
      ...{ traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), parentSpanId: '' },
      ...{ traceState: 'vendor=1', name: 'infer', kind: 'SERVER' },
      ...{ service: 'tandem-engine', instance: 'engine-1', startMs: 1_795_317_295_952.107, durationMs: 1.25 },
      ...{ error: 'NON_FINITE', attributes: { a: 'b', n: -3, x: 0.5, yes: true } },
      events: [{ name: 'cancelled', timeMs: 1_795_317_295_952.107, attributes: { why: 'x' } }],
    });
  });

  it.each([
    ['no trace id', { traceId: Buffer.alloc(0) }],
    ['a trace id of zeros', { traceId: Buffer.alloc(16) }],
    ['a trace id of the wrong length', { traceId: Buffer.alloc(17, 1) }],
    ['a span id of zeros', { spanId: Buffer.alloc(8) }],
  ])('returns undefined with %s', (_what, over) => {
    expect(toSpan(span(over), SOURCE)).toBeUndefined();
  });

  it('limits attributes, events and name', () => {
    const many = Array.from({ length: 10_000 }, (_, at) => text(`k${at}`, 'x'.repeat(10_000)));
    const events = Array.from({ length: 10_000 }, () => ({ name: 'e', timeUnixNano: 1n, attributes: [] }));
    const made = toSpan(span({ attributes: many, events, name: 'n'.repeat(100_000) }), SOURCE);
    expect([Object.keys(made!.attributes).length, made!.events.length, made!.name.length]).toEqual([64, 128, 1_024]);
    expect(made!.attributes['k0']).toHaveLength(1_024);
  });

  it('returns a duration of 0 if the span ends before it begins', () => {
    expect(toSpan(span({ startTimeUnixNano: 5n, endTimeUnixNano: 1n }), SOURCE)?.durationMs).toBe(0);
  });
});

describe('decodeSpans', () => {
  const encoded = (bytes: Uint8Array): EncodedSpans =>
    new EncodedSpans('ab'.repeat(16), SOURCE, bytes, 0, bytes.length, 1);

  it('returns all spans with valid ids', () => {
    const spans = [span({ name: 'a' }), span({ spanId: Buffer.alloc(8) }), span({ name: 'b' })];
    const bytes = ScopeSpans.encode(ScopeSpans.fromPartial({ spans })).finish();
    expect(decodeSpans(encoded(bytes)).map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('leaves out a span that is not a valid message', () => {
    const good = ScopeSpans.encode(ScopeSpans.fromPartial({ spans: [span({ name: 'a' })] })).finish();
    const list = Buffer.concat([good, Buffer.from([0x12, 0x02, 0x0a, 0x7f]), good]);
    expect(decodeSpans(encoded(list)).map(({ name }) => name)).toEqual(['a', 'a']);
  });
});

describe('toSource', () => {
  it('returns the service name and the instance', () => {
    const attributes = [text('service.name', 'tandem-engine'), text('service.instance.id', 'engine-1')];
    const resource = Resource.encode({ attributes, droppedAttributesCount: 0 }).finish();
    expect(toSource(resource)).toEqual({ service: 'tandem-engine', instance: 'engine-1' });
  });

  it('returns a default service if the attributes are missing', () => {
    expect(toSource(new Uint8Array(0))).toMatchObject({ service: 'unknown_service', instance: '' });
  });
});
