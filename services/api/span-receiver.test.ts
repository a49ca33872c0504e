import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import type { Span } from '../core/span.ts';
import { Span as OtlpSpan } from '../generated/opentelemetry/proto/trace/v1/trace.ts';
import { SpanReceiver, toSpan } from './span-receiver.ts';

const IDS = { traceId: Buffer.alloc(16, 0xab), spanId: Buffer.alloc(8, 0xcd) };
const text = (key: string, value: string) => ({ key, value: { value: { $case: 'stringValue', value } } }) as const;

function span(over: object): OtlpSpan {
  return OtlpSpan.fromPartial({ ...IDS, name: 'infer', ...over });
}

describe('a span in OTLP', () => {
  it('becomes one of ours', () => {
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
    const resource = {
      attributes: [text('service.name', 'tandem-engine'), text('service.instance.id', 'engine-1')],
      droppedAttributesCount: 0,
    };
    const status = { code: 2, message: 'NON_FINITE' };
    expect(toSpan(span({ attributes, events, status, kind: 2, ...times }), resource)).toEqual({
      ...{ traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), parentSpanId: '', name: 'infer', kind: 'SERVER' },
      ...{ service: 'tandem-engine', instance: 'engine-1', startMs: 1_795_317_295_952.107, durationMs: 1.25 },
      ...{ error: 'NON_FINITE', attributes: { a: 'b', n: -3, x: 0.5, yes: true } },
      events: [{ name: 'cancelled', timeMs: 1_795_317_295_952.107, attributes: { why: 'x' } }],
    });
  });

  it.each([
    ['no trace', { traceId: Buffer.alloc(0) }],
    ['a trace of zeros', { traceId: Buffer.alloc(16) }],
    ['a trace of another length', { traceId: Buffer.alloc(17, 1) }],
    ['no id', { spanId: Buffer.alloc(8) }],
  ])('with %s is none', (_what, over) => {
    expect(toSpan(span(over), undefined)).toBeUndefined();
  });

  it('brings so much and no more', () => {
    const many = Array.from({ length: 10_000 }, (_, at) => text(`k${at}`, 'x'.repeat(10_000)));
    const events = Array.from({ length: 10_000 }, () => ({ name: 'e', timeUnixNano: 1n, attributes: [] }));
    const made = toSpan(span({ attributes: many, events, name: 'n'.repeat(100_000) }), undefined);
    expect([Object.keys(made!.attributes).length, made!.events.length, made!.name.length]).toEqual([64, 128, 1_024]);
    expect(made!.attributes['k0']).toHaveLength(1_024);
  });

  it('that ends before it begins takes no time', () => {
    expect(toSpan(span({ startTimeUnixNano: 5n, endTimeUnixNano: 1n }), undefined)?.durationMs).toBe(0);
  });
});

describe('the receiver of spans', () => {
  let receiver: SpanReceiver;
  let taken: Span[];

  beforeEach(() => {
    taken = [];
    receiver = new SpanReceiver((spans) => taken.push(...spans));
  });

  afterEach(() => {
    receiver.stop();
  });

  /** The status that these bytes are answered with. */
  async function send(bytes: Buffer): Promise<grpc.status> {
    const address = await receiver.start('127.0.0.1:0');
    const client = new grpc.Client(address.replace('http://', ''), grpc.credentials.createInsecure());
    const same = (value: Buffer): Buffer => value;
    const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
    const code = await new Promise<grpc.status>((resolve) => {
      client.makeUnaryRequest(path, same, same, bytes, (error) => resolve(error?.code ?? grpc.status.OK));
    });
    client.close();
    return code;
  }

  it('says where the sidecars of this machine find it', async () => {
    expect(await receiver.start('127.0.0.1:0')).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('refuses what is no message', async () => {
    expect(await send(Buffer.from('not protobuf at all'))).toBe(grpc.status.INVALID_ARGUMENT);
    expect(taken).toEqual([]);
  });

  it('refuses what is too large', async () => {
    expect(await send(Buffer.alloc(5 * 1_048_576))).toBe(grpc.status.RESOURCE_EXHAUSTED);
  });
});
