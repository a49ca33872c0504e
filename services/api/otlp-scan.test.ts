import { describe, expect, it } from '@jest/globals';
import type { EncodedSpans } from '../core/encoded-spans.ts';
import { ExportTraceServiceRequest } from '../generated/opentelemetry/proto/collector/trace/v1/trace_service.ts';
import { Resource } from '../generated/opentelemetry/proto/resource/v1/resource.ts';
import { scanSpans } from './otlp-scan.ts';
import { decodeSpans, toSource, toSpans } from './otlp-span.ts';

const SPAN_ID = Buffer.alloc(8, 0xcd);
const text = (key: string, value: string) => ({ key, value: { value: { $case: 'stringValue', value } } }) as const;
const resourceOf = (service: string): Resource => {
  return { attributes: [text('service.name', service)], droppedAttributesCount: 0 };
};
const traceId = (byte: number): Buffer => Buffer.alloc(16, byte);

function encode(resourceSpans: object[]): Buffer {
  return Buffer.from(
    ExportTraceServiceRequest.encode(ExportTraceServiceRequest.fromPartial({ resourceSpans })).finish(),
  );
}

const span = {
  ...{ traceId: traceId(1), spanId: SPAN_ID, parentSpanId: SPAN_ID, traceState: 'a=b', name: 'infer', kind: 2 },
  ...{ startTimeUnixNano: 10n ** 18n, endTimeUnixNano: 10n ** 18n + 5n, status: { code: 2, message: 'x' } },
  ...{ attributes: [text('key', 'x'.repeat(500))], events: [{ name: 'e', timeUnixNano: 1n }], flags: 0x101 },
};
const two = encode([
  {
    resource: { attributes: [text('service.name', 'one')] },
    scopeSpans: [{ scope: { name: 's' }, spans: [span, span] }],
  },
  { scopeSpans: [{ spans: [] }, { spans: [{ ...span, traceId: traceId(2) }], schemaUrl: 'u' }], schemaUrl: 'v' },
]);

describe('scanSpans', () => {
  it('returns lists of adjacent spans of one trace, with their source', () => {
    const found = scanSpans(two, toSource);
    expect(found.map(({ traceId: id, source, count }) => [id, source.service, count])).toEqual([
      ['01'.repeat(16), 'one', 2],
      ['02'.repeat(16), 'unknown_service', 1],
    ]);
  });

  it.each<[string, object[]]>([
    ['another trace is between them', [{ spans: [span, { ...span, traceId: traceId(2) }, span] }]],
    ['a span with an invalid id is between them', [{ spans: [span, { ...span, spanId: Buffer.alloc(8) }, span] }]],
    ['they are of two scopes', [{ spans: [span] }, { spans: [span] }]],
  ])('returns two lists if %s', (_what, scopeSpans) => {
    const found = scanSpans(encode([{ scopeSpans }]), toSource);
    expect(found.filter(({ traceId: id }) => id === '01'.repeat(16)).map(({ count }) => count)).toEqual([1, 1]);
  });

  it('returns the same spans as decoding the whole request', () => {
    expect(scanSpans(two, toSource).flatMap(decodeSpans)).toEqual(toSpans(ExportTraceServiceRequest.decode(two)));
  });

  it('does not keep the memory of a large message for small spans', () => {
    const stuffed = encode([{ scopeSpans: [{ scope: { name: 'x'.repeat(1_000_000) }, spans: [span, span] }] }]);
    const found = scanSpans(stuffed, toSource);
    expect(found[0]!.memory.byteLength).toBeLessThan(4_096);
    expect(found.flatMap(decodeSpans)).toEqual(toSpans(ExportTraceServiceRequest.decode(stuffed)));
  });

  it.each([
    ['keeps the memory of a message of which the spans are half', 0, true],
    ['copies the spans if they are less than half of their message', 1, false],
  ])('%s', (_, more, isKept) => {
    const spans = encode([{ scopeSpans: [{ spans: [span] }] }]);
    const [{ start, end }] = scanSpans(spans, toSource) as [EncodedSpans];
    const rest = end - start - (spans.length - (end - start)) - 3 + more;
    const filled = Buffer.concat([spans, Buffer.from([0x7a, (rest & 127) | 128, rest >> 7]), Buffer.alloc(rest)]);
    expect([filled.length - more, rest > 127]).toEqual([2 * (end - start), true]);
    const [found] = scanSpans(filled, toSource) as [EncodedSpans];
    expect(found.memory === filled).toBe(isKept);
    expect(decodeSpans(found)).toEqual(decodeSpans(scanSpans(spans, toSource)[0]!));
  });

  it('copies exactly the spans', () => {
    const stuffed = encode([
      { scopeSpans: [{ scope: { name: 'x'.repeat(10_000) }, spans: [span, { ...span, traceId: traceId(2) }] }] },
    ]);
    const found = scanSpans(stuffed, toSource);
    expect(found[1]!.memory).toHaveLength(found[1]!.end);
    expect(found[1]!.start).toBe(found[0]!.end);
  });

  it('takes a resource of exactly the size limit, and no larger one', () => {
    const withResource = (chars: number): Buffer =>
      encode([
        { resource: { attributes: [text('service.name', 'x'.repeat(chars))] }, scopeSpans: [{ spans: [span] }] },
      ]);
    const [most] = [16_384 - Resource.encode(resourceOf('x'.repeat(16_000))).finish().length + 16_000];
    expect(scanSpans(withResource(most), toSource)).toHaveLength(1);
    expect(() => scanSpans(withResource(most + 1), toSource)).toThrow('a resource takes at most 16384 bytes');
  });

  it('takes ids of which only one byte is not 0, whichever it is', () => {
    const [ids, spanIds] = [16, 8].map((length) =>
      Array.from({ length }, (_, at) => Buffer.alloc(length).fill(1, at, at + 1)),
    ) as [Buffer[], Buffer[]];
    const spans = [...ids.map((id) => ({ ...span, traceId: id })), ...spanIds.map((spanId) => ({ ...span, spanId }))];
    const found = scanSpans(encode([{ scopeSpans: [{ spans }] }]), toSource);
    expect(found.reduce((sum, { count }) => sum + count, 0)).toBe(24);
  });

  it.each([
    ['a number', [0xf8, 1, 0x05]],
    ['a number of 128', [0xf8, 1, 0x80, 0x01]],
    ['a number of 10 bytes', [0xf8, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]],
    ['8 bytes', [0xf9, 1, 1, 2, 3, 4, 5, 6, 7, 8]],
    ['bytes', [0xfa, 1, 2, 1, 2]],
    ['bytes without any', [0xfa, 1, 0]],
    ['4 bytes', [0xfd, 1, 1, 2, 3, 4]],
  ])('skips an unknown field: %s', (_, field) => {
    const unknown = Buffer.from(field);
    const inSpan = Buffer.concat([Buffer.from([0x0a, 16]), traceId(1), Buffer.from([0x12, 8]), SPAN_ID, unknown]);
    const wrap = (bytes: Buffer, tag: number): Buffer =>
      Buffer.concat([Buffer.from([tag, bytes.length]), bytes, unknown]);
    const message = wrap(wrap(wrap(inSpan, 0x12), 0x12), 0x0a);
    expect(
      scanSpans(message, toSource)
        .flatMap(decodeSpans)
        .map(({ spanId }) => spanId),
    ).toEqual(['cd'.repeat(8)]);
  });

  it.each([
    ['no trace id', { traceId: Buffer.alloc(0) }],
    ['a trace id of zeros', { traceId: Buffer.alloc(16) }],
    ['a trace id of the wrong length', { traceId: Buffer.alloc(17, 1) }],
    ['no span id', { spanId: Buffer.alloc(0) }],
    ['a span id of zeros', { spanId: Buffer.alloc(8) }],
  ])('leaves out only spans with %s', (_what, over) => {
    const message = encode([{ scopeSpans: [{ spans: [{ ...span, ...over }, span] }] }]);
    expect(scanSpans(message, toSource).map(({ traceId: id }) => id)).toEqual(['01'.repeat(16)]);
  });

  it('uses a resource that follows its spans', () => {
    const spans = encode([{ scopeSpans: [{ spans: [span] }] }]).subarray(3); // without the frame of 128 to 16,383 bytes
    const resource = Resource.encode(resourceOf('late')).finish();
    const body = Buffer.concat([spans, Buffer.from([0x0a, resource.length]), resource]);
    const message = Buffer.concat([Buffer.from([0x0a, (body.length & 127) | 128, body.length >> 7]), body]);
    expect(scanSpans(message, toSource).map(({ source }) => source.service)).toEqual(['late']);
  });
});

describe('scanSpans of an invalid request', () => {
  it.each([
    ['text', Buffer.from('not protobuf at all')],
    ['a field that ends after its message', Buffer.from([0x0a, 0x05, 0x12])],
    ['a number that does not end', Buffer.alloc(20, 0xff)],
    ['a number of 11 bytes', Buffer.from([0x78, ...Array.from({ length: 10 }, () => 255), 1])],
    ['a number that its message cuts', Buffer.from([0x0a, 0x02, 0x78, 0x80, 0x78, 0x01])],
    ['a field with the number 0', Buffer.from([0x02, 0x00])],
    ['a group', Buffer.from([0x0b, 0x0c])],
  ])('throws: %s', (_what, bytes) => {
    expect(() => scanSpans(bytes, toSource)).toThrow();
  });

  it('throws for a request cut at any byte except between its parts', () => {
    const refused = Array.from(two, (_byte, length) => {
      try {
        scanSpans(two.subarray(0, length), toSource);
        return false;
      } catch {
        return true;
      }
    });
    const firstPart = 3 + (two[1]! & 127) + (two[2]! << 7);
    expect(refused.flatMap((isRefused, length) => (isRefused ? [] : [length]))).toEqual([0, firstPart]);
  });
});
