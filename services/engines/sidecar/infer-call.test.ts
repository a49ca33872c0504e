import { beforeEach, describe, expect, it } from '@jest/globals';
import { answer } from '../../../test/fakes/fake-sidecar.ts';
import { DescribeResponse, InferStreamRequest, InferStreamResponse } from '../../generated/tandem/engine/v1/engine.ts';
import type { ClientCall } from '../../grpc/client-call.ts';
import type { CallOptions, GrpcClient } from '../../grpc/client.ts';
import { Metadata } from '../../grpc/metadata.ts';
import { status } from '../../grpc/status.ts';
import { InferCall } from './infer-call.ts';
import { EMPTY_CHECKSUM, isSealed, seal } from './message-checksum.ts';

const ID = Buffer.from('0123456789abcdef');
const WRONG_CHECKSUM = /^a message from engine "e" had a wrong checksum/;

let sent: Buffer[];
let takesMore: boolean;
let cancelled: number;
let ended: number;
let metadata: Metadata | undefined;
/** Events of the listener. */
let events: string[];

beforeEach(() => {
  [sent, events] = [[], []];
  [takesMore, cancelled, ended] = [true, 0, 0];
});

function open(described: Partial<DescribeResponse> = {}): InferCall {
  const grpcCall = {
    send: (message: Buffer) => {
      sent.push(Buffer.from(message));
      return takesMore;
    },
    end: () => (ended += 1),
    cancel: () => (cancelled += 1),
  } as unknown as ClientCall<Uint8Array, Buffer>;
  const client = {
    closeReason: undefined,
    call: (_method: unknown, _listener: unknown, options: CallOptions) => {
      metadata = options.metadata;
      return grpcCall;
    },
  } as unknown as GrpcClient;
  return new InferCall(client, 'e', DescribeResponse.fromPartial(described), {
    owed: { answers: 1, withLayers: 0, withState: 0, outputs: 2 },
    onMessage: (bytes) => void events.push(`message of ${InferStreamResponse.decode(bytes).results.length}`),
    onDrain: () => void events.push('drain'),
    onEnd: (why) => void events.push(why),
  });
}

const message = (...ids: bigint[]): Buffer =>
  Buffer.from(InferStreamResponse.encode({ results: ids.map((id) => answer(id)), checksum: 0n }).finish());
const sealed = (seed: bigint): Buffer => seal(Buffer.concat([message(1n), EMPTY_CHECKSUM]), seed);

const instance = (id?: Buffer): Metadata => Metadata.of(id === undefined ? {} : { 'tandem-instance-id-bin': id });

describe('the call of an InferStream', () => {
  it('sends each message with the checksum of its position', () => {
    const call = open();
    expect(call.write({ jobs: [], cancelIds: [1] })).toBe(true);
    takesMore = false;
    expect(call.write({ jobs: [], cancelIds: [2] })).toBe(false);
    expect(sent.map((bytes) => InferStreamRequest.decode(bytes).cancelIds)).toEqual([[1n], [2n]]);
    expect(sent.map((bytes, index) => isSealed(bytes, BigInt(index)))).toEqual([true, true]);
    expect(metadata?.first('tandem-checksums')).toBe('1');
  });

  it('ends and cancels the call below it', () => {
    const call = open();
    call.end();
    expect([ended, cancelled]).toEqual([1, 0]);
    call.cancel();
    expect([ended, cancelled]).toEqual([1, 1]);
  });

  it('passes on messages with the checksum of their position', () => {
    const call = open({ checksums: true });
    call.onMessage(sealed(0n));
    call.onMessage(sealed(1n));
    expect(events).toEqual(['message of 1', 'message of 1']);
    call.onMessage(sealed(1n));
    expect(events.slice(2)).toEqual([expect.stringMatching(WRONG_CHECKSUM)]);
    expect(cancelled).toBe(1);
  });

  it('passes on messages without a checksum from an engine that sends none', () => {
    const call = open();
    call.onMessage(message(1n));
    call.onMessage(message(1n, 2n));
    expect([events, cancelled]).toEqual([['message of 1', 'message of 2'], 0]);
  });

  it('ends if a message cannot be an answer, which is not passed on', () => {
    open().onMessage(message(...Array.from({ length: 19 }, (_, index) => BigInt(index))));
    expect(events).toEqual(['a message from engine "e" is refused unread: more than 18 results']);
    expect(cancelled).toBe(1);
  });

  it('passes on that more may be written', () => {
    open().onDrain();
    expect(events).toEqual(['drain']);
  });

  it('reports the first end only', () => {
    const call = open({ checksums: true });
    call.onStatus(status('INTERNAL', 'no'));
    call.onStatus(status('INTERNAL', 'no'));
    call.onMessage(Buffer.alloc(0));
    expect(events).toEqual(['13 INTERNAL: no']);
  });

  it('reports no end after it was cancelled', () => {
    const call = open();
    call.cancel();
    call.onStatus(status('CANCELLED', 'cancelled'));
    expect(events).toEqual([]);
  });

  it.each([
    ['the same process', ID, ID],
    ['an engine that does not say its process', ID, undefined],
    ['an engine that did not describe its process', Buffer.alloc(0), ID],
  ])('accepts %s', (_, described, found) => {
    open({ instanceId: described }).onMetadata(instance(found));
    expect([events, cancelled]).toEqual([[], 0]);
  });

  it('ends if another process answers, and names both', () => {
    open({ instanceId: ID }).onMetadata(instance(Buffer.from('x')));
    const expected = `engine "e" is process ${ID.toString('hex')}, but its stream led to process 78; give each engine an address of its own`;
    expect([events, cancelled]).toEqual([[expected], 1]);
  });
});
