import { describe, expect, it } from '@jest/globals';
import { OpenSpan, RequestTrace } from '../core/request-trace.ts';
import { ScopeSpans, Span as OtlpSpan } from '../generated/opentelemetry/proto/trace/v1/trace.ts';
import { EpochClock } from './epoch-clock.ts';
import { varintBytes } from './otlp-writer.ts';
import { SpanEncoder } from './span-encoder.ts';

const SOURCE = { service: 'tandem-router', instance: 'here' };
const CALLER = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', parentSpanId: '00f067aa0ba902b7' };
const encoder = new SpanEncoder(SOURCE, new EpochClock());

function root(over: Partial<RequestTrace['about']> = {}): OpenSpan {
  const keeper = { ended: () => undefined, late: () => undefined };
  const about = {
    name: 'rpc',
    ...CALLER,
    traceState: '',
    isSampled: true,
    isOwn: false,
    withLayers: false,
    startMs: 1_000.25,
  };
  return new RequestTrace({ ...about, ...over }, keeper).root;
}

/** The span as a receiver decodes it. */
function read(span: OpenSpan, endMs = span.startMs): OtlpSpan {
  const encoded = encoder.encode([span], endMs);
  const { spans } = ScopeSpans.decode(encoded.bytes);
  expect(spans).toHaveLength(1);
  // Every length prefix has its shortest form.
  const body = OtlpSpan.encode(spans[0]!).finish().length + FLAGS_BYTES;
  expect(encoded.bytes).toHaveLength(1 + varintBytes(body) + body);
  return spans[0]!;
}

/** The last field; it is newer than our generated messages. */
const FLAGS_BYTES = 6;

function flags(span: OpenSpan): number {
  const bytes = Buffer.from(encoder.encode([span], span.startMs).bytes);
  return bytes.readUInt32LE(bytes.length - 4);
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('a span in bytes', () => {
  it('has its trace id, its own id and its parent’s id', () => {
    const span = root();
    const child = new OpenSpan(span.trace, span, 'attempt', 'CLIENT', 1);
    expect([hex(read(span).traceId), hex(read(span).spanId)]).toEqual([CALLER.traceId, span.id]);
    expect([hex(read(span).parentSpanId), hex(read(child).parentSpanId)]).toEqual([CALLER.parentSpanId, span.id]);
    expect(read(root({ parentSpanId: '' })).parentSpanId).toHaveLength(0);
  });

  it('marks a parent in another process', () => {
    const span = root();
    const child = new OpenSpan(span.trace, span, 'attempt', 'CLIENT', 1);
    expect([flags(span), flags(child), flags(root({ parentSpanId: '' }))]).toEqual([0x301, 0x101, 0x101]);
  });

  it('has times to the nanosecond', () => {
    const { startTimeUnixNano, endTimeUnixNano } = read(root(), 1_003.750_001);
    expect(endTimeUnixNano - startTimeUnixNano).toBe(3_500_001n);
    const expected = (performance.timeOrigin + 1_000.25) * 1e6;
    expect(Math.abs(Number(startTimeUnixNano) - expected)).toBeLessThan(1_000);
  });

  it('may have a time before this process started', () => {
    const { startTimeUnixNano, endTimeUnixNano } = read(root({ startMs: -5_000_000 }), 1);
    expect(endTimeUnixNano - startTimeUnixNano).toBe(5_000_001_000_000n);
  });

  it.each([
    ['text', 'value', { $case: 'stringValue', value: 'value' }],
    ['no text', '', { $case: 'stringValue', value: '' }],
    ['text in any language', 'Größe 大きさ 🧠', { $case: 'stringValue', value: 'Größe 大きさ 🧠' }],
    ['long text', '大'.repeat(10_000), { $case: 'stringValue', value: '大'.repeat(10_000) }],
    ['a small number', 5, { $case: 'intValue', value: 5n }],
    ['zero', 0, { $case: 'intValue', value: 0n }],
    ['a large number', 2 ** 53 - 1, { $case: 'intValue', value: 2n ** 53n - 1n }],
    ['a negative number', -3, { $case: 'doubleValue', value: -3 }],
    ['a fraction', 0.1, { $case: 'doubleValue', value: 0.1 }],
    ['a digest', 0x0123456789abcdefn, { $case: 'stringValue', value: '0123456789abcdef' }],
    ['yes', true, { $case: 'boolValue', value: true }],
    ['no', false, { $case: 'boolValue', value: false }],
  ] as const)('has attributes: %s', (_what, value, expected) => {
    const span = root();
    span.set('a.key', 'first');
    span.set('a.key', value);
    expect(read(span).attributes).toEqual([{ key: 'a.key', value: { value: expected } }]);
  });

  it('may have names, states and errors of any length', () => {
    const [name, traceState] = ['n'.repeat(127), 'ü=1'];
    const span = new OpenSpan(root({ traceState }).trace, undefined, name, 'INTERNAL', 1);
    span.end('大'.repeat(30_000));
    expect(read(span)).toMatchObject({ name, traceState, kind: 1, status: { code: 2, message: '大'.repeat(30_000) } });
    expect(read(root()).status).toBeUndefined();
  });

  it('has the events of its trace if it is the root', () => {
    const span = root();
    span.trace.events.push({ name: 'dispute', timeMs: 1_001.25, attributes: { a: 'x'.repeat(200), b: 2 } });
    expect(read(new OpenSpan(span.trace, span, 'attempt', 'CLIENT', 1)).events).toEqual([]);
    const { startTimeUnixNano, events: written } = read(span, 1_002);
    expect(written).toMatchObject([
      { name: 'dispute', timeUnixNano: startTimeUnixNano + 1_000_000n, attributes: [{ key: 'a' }, { key: 'b' }] },
    ]);
  });

  it('ends when its request does if it has no end', () => {
    const [open, ended] = [root(), root()];
    ended.end('', 1_001.25);
    const duration = (span: OpenSpan): bigint => {
      const { startTimeUnixNano, endTimeUnixNano } = read(span, 1_002.25);
      return endTimeUnixNano - startTimeUnixNano;
    };
    expect([duration(open), duration(ended)]).toEqual([2_000_000n, 1_000_000n]);
  });

  it('is followed by the other spans of its trace', () => {
    const span = root();
    const others = Array.from({ length: 500 }, (_, at) => new OpenSpan(span.trace, span, `n${at}`, 'INTERNAL', 1));
    const encoded = encoder.encode([span, ...others], 1_002);
    expect([encoded.traceId, encoded.count]).toEqual([CALLER.traceId, 501]);
    const names = ScopeSpans.decode(encoded.bytes).spans.map(({ name }) => name);
    expect(names).toEqual(['rpc', ...others.map(({ name }) => name)]);
  });

  it('does not change when others are written after it', () => {
    const first = encoder.encode([root()], 2_000);
    const before = hex(first.bytes);
    for (let n = 0; n < 2_000; n += 1) encoder.encode([root()], 2_000);
    expect(hex(first.bytes)).toBe(before);
  });
});
