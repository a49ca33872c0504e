// A sidecar over real gRPC that stalls, lies, dies or counts, controlled by a test.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import * as grpc from '@grpc/grpc-js';
import { seal } from '../../services/engines/sidecar/message-checksum.ts';
import {
  DescribeResponse,
  EngineServiceService,
  type GetRecordingRequest,
  type GetRecordingResponse,
  InferResult,
  type Inference,
  type InferStreamRequest,
  InferStreamResponse,
  type LoadModelRequest,
  type LoadModelResponse,
  ModelDescription,
  type UnloadModelResponse,
} from '../../services/generated/tandem/engine/v1/engine.ts';
import { ErrorInfo } from '../../services/generated/google/rpc/error_details.ts';
import { Status } from '../../services/generated/google/rpc/status.ts';
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
  /** The number of Describe calls. */
  described = 0;
  /** Stops answering Describe, like a stopped process. */
  isStopped = false;
  /** The error of Describe; undefined: none. */
  refusal: { readonly code: grpc.status; readonly details: string } | undefined;
  /** The status with which UnloadModel fails; undefined: it succeeds. */
  unloadRefusal: Partial<grpc.StatusObject> | undefined;
  /** The handlers of LoadModel and GetRecording; undefined: the engine cannot do that. */
  onLoad: ((request: LoadModelRequest, reply: grpc.sendUnaryData<LoadModelResponse>) => void) | undefined;
  onRecording: ((request: GetRecordingRequest, reply: grpc.sendUnaryData<GetRecordingResponse>) => void) | undefined;
  /** The handler of messages; by default it answers every item. */
  onMessage: (message: InferStreamRequest, stream: FakeStream) => void = answerAll;
  /** The handler of opened streams. */
  onStream: (stream: FakeStream) => void = () => undefined;
  /** Ends its messages with checksums. */
  sendsChecksums = false;
  /** How the link changes each sent message, including its checksum. */
  link: (message: Buffer) => Buffer = (message) => message;
  /** The instance id that a stream announces; empty: none. */
  streamInstanceId: Buffer = Buffer.alloc(0);
  /** The caller's metadata of each stream, in order. */
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
      unloadModel: ((_call, callback) => callback(this.unloadRefusal ?? null, {})) as grpc.handleUnaryCall<
        unknown,
        UnloadModelResponse
      >,
      loadModel: this.#unary(() => this.onLoad),
      getRecording: this.#unary(() => this.onRecording),
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

  #unary<Request, Response>(
    handler: () => ((request: Request, reply: grpc.sendUnaryData<Response>) => void) | undefined,
  ): grpc.handleUnaryCall<Request, Response> {
    return ({ request }, reply) => {
      const handle = handler();
      if (handle === undefined) reply({ code: grpc.status.UNIMPLEMENTED });
      else handle(request, reply);
    };
  }

  /** The generated service, with messages changed by `sendsChecksums` and `link`. */
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

  /** Like a killed process: cuts the connections without a message. */
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

/** The status of a unary call that the engine refuses. */
export function engineRefusal(reason: string): Partial<grpc.StatusObject> {
  const value = Buffer.from(ErrorInfo.encode({ reason, domain: 'tandem', metadata: {} }).finish());
  const details = [{ typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value }];
  const metadata = new grpc.Metadata();
  const status = Status.fromPartial({ code: grpc.status.INVALID_ARGUMENT, details });
  metadata.set('grpc-status-details-bin', Buffer.from(Status.encode(status).finish()));
  return { code: grpc.status.INVALID_ARGUMENT, details: 'on purpose', metadata };
}
