// A sidecar over real gRPC that stalls, lies, dies or counts as a test tells it to.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import * as grpc from '@grpc/grpc-js';
import { seal } from '../../services/engines/sidecar/message-checksum.ts';
import {
  DescribeResponse,
  EngineServiceService,
  InferResult,
  type Inference,
  type InferStreamRequest,
  InferStreamResponse,
  ModelDescription,
} from '../../services/generated/tandem/engine/v1/engine.ts';
import { withRoom } from './with-room.ts';

export type FakeStream = grpc.ServerDuplexStream<InferStreamRequest, InferStreamResponse>;

type Encode<Message> = (message: Message, writer: BinaryWriter) => BinaryWriter;

export class FakeSidecar {
  readonly address = `unix:${join(mkdtempSync(join(tmpdir(), 'tandem-fake-')), 'engine.sock')}`;
  /** Every message received, in order. */
  readonly received: InferStreamRequest[] = [];
  readonly streams: FakeStream[] = [];
  description = DescribeResponse.fromPartial({
    engineId: 'fake',
    build: 'fake 1',
    numericsVersion: 1,
    models: [ModelDescription.fromPartial({ name: 'm', version: 1, modelId: 7n, inputSize: 3, outputSize: 2 })],
  });
  /** How often it was asked to describe itself. */
  described = 0;
  /** Describe is not answered any more, as by a stopped process. */
  isStopped = false;
  /** What it refuses to describe itself with; undefined: it does not refuse. */
  refusal: { readonly code: grpc.status; readonly details: string } | undefined;
  /** What it does with a message; answers every item unless a test says otherwise. */
  onMessage: (message: InferStreamRequest, stream: FakeStream) => void = answerAll;
  /** What it does with a stream that is opened. */
  onStream: (stream: FakeStream) => void = () => undefined;
  /** Ends its messages with checksums. */
  sendsChecksums = false;
  /** What the link makes of each message that is sent, checksum included. */
  link: (message: Buffer) => Buffer = (message) => message;
  /** The process that a stream says it goes to; empty: it does not say. */
  streamInstanceId: Buffer = Buffer.alloc(0);
  /** What the caller said of each stream, in order. */
  readonly metadata: grpc.Metadata[] = [];
  /** Messages sent on the newest stream. */
  #sent = 0n;
  #server = new grpc.Server();

  async start(): Promise<this> {
    this.#server.addService(this.#service(), {
      describe: ((_call, callback) => {
        this.described += 1;
        if (!this.isStopped) callback(this.refusal ?? null, this.description);
      }) as grpc.handleUnaryCall<unknown, DescribeResponse>,
      infer: () => undefined,
      inferStream: ((stream) => {
        this.streams.push(stream);
        this.metadata.push(stream.metadata);
        this.#sent = 0n;
        const metadata = new grpc.Metadata();
        if (this.streamInstanceId.length > 0) metadata.set('tandem-instance-id-bin', this.streamInstanceId);
        stream.sendMetadata(metadata);
        stream.on('error', () => undefined);
        stream.on('data', (message: InferStreamRequest) => {
          this.received.push(message);
          this.onMessage(message, stream);
        });
        stream.on('end', () => stream.end());
        this.onStream(stream);
      }) as grpc.handleBidiStreamingCall<InferStreamRequest, InferStreamResponse>,
    });
    await new Promise<void>((resolve, reject) => {
      this.#server.bindAsync(this.address, grpc.ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      );
    });
    return this;
  }

  /** As the generated one, with messages as `sendsChecksums` and `link` say. */
  #service(): typeof EngineServiceService {
    const { describe, inferStream } = EngineServiceService;
    const send = <Message>(encode: Encode<Message>, message: Message, seed: bigint): Buffer => {
      const bytes = (encode: Encode<Message>): Buffer => Buffer.from(encode(message, new BinaryWriter()).finish());
      return this.link(this.sendsChecksums ? seal(bytes(withRoom(encode)), seed) : bytes(encode));
    };
    return {
      ...EngineServiceService,
      describe: {
        ...describe,
        responseSerialize: (message) => send(DescribeResponse.encode, message, 0n),
      },
      inferStream: {
        ...inferStream,
        responseSerialize: (message) => send(InferStreamResponse.encode, message, this.#sent++),
      },
    };
  }

  /** As a killed process: connections cut, nothing said. */
  kill(): void {
    this.#server.forceShutdown();
    this.#server = new grpc.Server();
  }
}

export function answer(id: bigint, spikeCounts = [3, 1]): InferResult {
  return answerOf(id, { spikeCounts });
}

export function answerOf(id: bigint, over: Partial<Inference>): InferResult {
  const inference = { modelVersion: 1, steps: 16, spikeCounts: [3, 1], stateDigest: 0xfedcba9876543210n, ...over };
  return InferResult.fromPartial({ id, outcome: { $case: 'inference', value: inference } });
}

export function refuse(id: bigint, reason: string): InferResult {
  return InferResult.fromPartial({
    id,
    outcome: { $case: 'error', value: { code: 13, reason, message: 'on purpose' } },
  });
}

function answerAll(message: InferStreamRequest, stream: FakeStream): void {
  if (message.items.length > 0) stream.write({ results: message.items.map(({ id }) => answer(id)), checksum: 0n });
}
