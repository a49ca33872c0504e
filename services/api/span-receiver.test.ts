import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import type { EncodedSpan } from '../core/encoded-span.ts';
import { SpanReceiver } from './span-receiver.ts';

describe.each(['native', 'grpc-js'] as const)('SpanReceiver on edge %s', (edge) => {
  let receiver: SpanReceiver;
  let taken: EncodedSpan[];
  let isEngine: boolean;

  beforeEach(() => {
    taken = [];
    isEngine = true;
    receiver = new SpanReceiver(
      (spans) => taken.push(...spans),
      edge,
      () => isEngine,
    );
  });

  afterEach(() => {
    receiver.stop();
  });

  /** Resolves to the status of the response to these bytes. */
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

  it('returns its address for the sidecars of this machine', async () => {
    expect(await receiver.start('127.0.0.1:0')).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('refuses bytes that are not a valid message', async () => {
    expect(await send(Buffer.from('not protobuf at all'))).toBe(grpc.status.INVALID_ARGUMENT);
    expect(taken).toEqual([]);
  });

  it('refuses a caller that is not an engine', async () => {
    isEngine = false;
    expect(await send(Buffer.alloc(0))).toBe(grpc.status.UNAUTHENTICATED);
  });

  it('refuses a message that is too large', async () => {
    expect(await send(Buffer.alloc(5 * 1_048_576))).toBe(grpc.status.RESOURCE_EXHAUSTED);
  });
});
