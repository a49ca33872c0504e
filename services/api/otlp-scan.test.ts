import { describe, expect, it } from '@jest/globals';
import { ExportTraceServiceRequest } from '../generated/opentelemetry/proto/collector/trace/v1/trace_service.ts';
import { Resource } from '../generated/opentelemetry/proto/resource/v1/resource.ts';
import { scanSpans } from './otlp-scan.ts';
import { decodeSpan, toSource, toSpans } from './otlp-span.ts';

const SPAN_ID = Buffer.alloc(8, 0xcd);
const text = (key: string, value: string) => ({ key, value: { value: { $case: 'stringValue', value } } }) as const;
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
  it('returns each span with its trace and source', () => {
    const found = scanSpans(two, toSource);
    expect(found.map(({ traceId: id, source }) => [id, source.service])).toEqual([
      ['01'.repeat(16), 'one'],
      ['01'.repeat(16), 'one'],
      ['02'.repeat(16), 'unknown_service'],
    ]);
  });

  it('returns the same spans as decoding the whole request', () => {
    expect(scanSpans(two, toSource).map(decodeSpan)).toEqual(toSpans(ExportTraceServiceRequest.decode(two)));
  });

  it('does not keep the memory of a large message for small spans', () => {
    const stuffed = encode([{ scopeSpans: [{ scope: { name: 'x'.repeat(1_000_000) }, spans: [span, span] }] }]);
    const found = scanSpans(stuffed, toSource);
    expect(found[0]!.memory.byteLength).toBeLessThan(4_096);
    expect(found.map(decodeSpan)).toEqual(toSpans(ExportTraceServiceRequest.decode(stuffed)));
  });

  it('refuses a resource above the size limit', () => {
    const stuffed = encode([
      { resource: { attributes: [text('service.name', 'x'.repeat(20_000))] }, scopeSpans: [{ spans: [span] }] },
    ]);
    expect(() => scanSpans(stuffed, toSource)).toThrow('a resource takes at most 16384 bytes');
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
    const resource = Resource.encode({
      attributes: [text('service.name', 'late')],
      droppedAttributesCount: 0,
    }).finish();
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
