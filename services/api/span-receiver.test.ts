import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import type { EncodedSpans } from '../core/encoded-spans.ts';
import { ExportTraceServiceRequest } from '../generated/opentelemetry/proto/collector/trace/v1/trace_service.ts';
import { SpanReceiver } from './span-receiver.ts';

/** A request with one span from an engine of that name. */
function spansOf(service: string): Buffer {
  const value = { $case: 'stringValue', value: service } as const;
  const resource = { attributes: [{ key: 'service.name', value: { value } }] };
  const span = { traceId: Buffer.alloc(16, 1), spanId: Buffer.alloc(8, 1), name: 'infer' };
  const request = { resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] };
  return Buffer.from(ExportTraceServiceRequest.encode(ExportTraceServiceRequest.fromPartial(request)).finish());
}

describe.each(['native', 'grpc-js'] as const)('SpanReceiver on edge %s', (edge) => {
  let receiver: SpanReceiver;
  let taken: EncodedSpans[];
  let isEngine: boolean;
  /** The callers of which the receiver was to decide. */
  let callers: unknown[][];

  beforeEach(() => {
    [taken, callers] = [[], []];
    isEngine = true;
    receiver = new SpanReceiver(
      (spans) => taken.push(...spans),
      edge,
      (...caller) => {
        callers.push(caller);
        return isEngine;
      },
    );
  });

  afterEach(() => {
    receiver.stop();
  });

  /** Resolves to the status of the response to the last of these messages. */
  async function send(...messages: Buffer[]): Promise<grpc.status> {
    const address = await receiver.start('127.0.0.1:0');
    const client = new grpc.Client(address.replace('http://', ''), grpc.credentials.createInsecure());
    const same = (value: Buffer): Buffer => value;
    const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
    const metadata = new grpc.Metadata();
    metadata.set('authorization', 'Bearer secret');
    let code = grpc.status.OK;
    for (const bytes of messages) {
      code = await new Promise<grpc.status>((resolve) => {
        client.makeUnaryRequest(path, same, same, bytes, metadata, (error) => resolve(error?.code ?? grpc.status.OK));
      });
    }
    client.close();
    return code;
  }

  it('returns its address for the sidecars of this machine', async () => {
    expect(await receiver.start('127.0.0.1:0')).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('takes the spans of an engine, with their source', async () => {
    expect(await send(spansOf('one'))).toBe(grpc.status.OK);
    expect(taken.map(({ source }) => source)).toEqual([{ service: 'one', instance: '' }]);
    expect(callers).toEqual([['Bearer secret', '127.0.0.1']]);
  });

  it('has one source for all spans of an engine', async () => {
    expect(await send(spansOf('one'), spansOf('two'), spansOf('one'))).toBe(grpc.status.OK);
    const [first, second, third] = taken.map(({ source }) => source);
    expect(third).toBe(first);
    expect(second).not.toBe(first);
  });

  it('keeps at most 256 sources', async () => {
    const others = (count: number): Buffer => Buffer.concat(Array.from({ length: count }, (_, k) => spansOf(`e${k}`)));
    await send(spansOf('one'), others(255), spansOf('one'), spansOf('new'), spansOf('one'));
    const [first, kept, forgotten] = taken.filter(({ source }) => source.service === 'one').map(({ source }) => source);
    expect(kept).toBe(first);
    expect(forgotten).not.toBe(first);
  });

  it('refuses bytes that are not a valid message', async () => {
    expect(await send(Buffer.from('not protobuf at all'))).toBe(grpc.status.INVALID_ARGUMENT);
    expect(taken).toEqual([]);
  });

  it('refuses a caller that is not an engine', async () => {
    isEngine = false;
    expect(await send(Buffer.alloc(0))).toBe(grpc.status.UNAUTHENTICATED);
  });

  it.each([
    ['takes a message of 4 MiB', 4 * 1_048_576, grpc.status.OK],
    ['refuses a larger one', 4 * 1_048_576 + 1, grpc.status.RESOURCE_EXHAUSTED],
  ])('%s', async (_, bytes, code) => {
    const spans = spansOf('one');
    // An unknown field fills the message up.
    const rest = bytes - spans.length - 5;
    const length = [rest, rest >> 7, rest >> 14].map((part) => (part & 127) | 128);
    expect(await send(Buffer.concat([spans, Buffer.from([0x7a, ...length, rest >> 21]), Buffer.alloc(rest)]))).toBe(
      code,
    );
  });

  it('answers no more after a stop', async () => {
    const address = await receiver.start('127.0.0.1:0');
    receiver.stop();
    receiver.stop();
    const socket = connect(Number(new URL(address).port), '127.0.0.1');
    expect(await once(socket, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }]);
  });
});
