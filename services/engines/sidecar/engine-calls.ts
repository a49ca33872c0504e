// The calls to an engine, with the checks of its messages as they come over the link, before they are decoded: checksums, and
// limits of what a message may hold. A wrong checksum is a fault of the link, and says nothing about the engine.
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import * as grpc from '@grpc/grpc-js';
import { serializer } from '../../core/serialize.ts';
import type { CallContext } from '../../core/inference.ts';
import {
  DescribeResponse,
  type EngineServiceClient,
  EngineServiceService,
  type GetRecordingRequest,
  type GetRecordingResponse,
  InferStreamRequest,
  type InferStreamResponse,
  type TraceRequest,
  type TraceResponse,
} from '../../generated/tandem/engine/v1/engine.ts';
import { whyNotConnected } from './connect-error.ts';
import { type Owed, checkDescription, checkInferMessage, checkRecording, checkTrace } from './message-limits.ts';
import { isSealed, seal, withRoom } from './message-checksum.ts';

export type InferCall = grpc.ClientDuplexStream<InferStreamRequest, InferStreamResponse>;

const DESCRIBE_TIMEOUT_MS = 2_000;

/** Tells the engine that every message of the stream has a checksum, so that it misses one also in the first. */
const CHECKSUMS_KEY = 'tandem-checksums';
/** The engine's process (`instance_id`), sent when the stream opens. */
const INSTANCE_ID_KEY = 'tandem-instance-id-bin';

const { describe: unary, inferStream: stream, trace: traceMethod, getRecording } = EngineServiceService;

/** Of all streams: they write one message at a time. */
const encodeWithRoom = serializer(withRoom(InferStreamRequest.encode), () => new BinaryWriter());

export async function describe(client: EngineServiceClient, engineId: string): Promise<DescribeResponse> {
  const bytes = await describeAsBytes(client);
  try {
    checkDescription(bytes);
  } catch (error) {
    throw new Error(refusedUnread(`the description of engine "${engineId}"`, error), { cause: error });
  }
  const hasRightChecksum = isSealed(bytes, 0n);
  const wire = DescribeResponse.decode(bytes);
  if ((wire.checksums || wire.checksum !== 0n) && !hasRightChecksum) throw new Error(wrongChecksum(engineId));
  return wire;
}

function describeAsBytes(client: EngineServiceClient): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const { path, requestSerialize } = unary;
    const options = { deadline: deadlineIn(DESCRIBE_TIMEOUT_MS) };
    const asBytes = (bytes: Buffer): Buffer => bytes;
    client.makeUnaryRequest(path, requestSerialize, asBytes, {}, new grpc.Metadata(), options, (error, bytes) =>
      error ? reject(whyNotConnected(error, DESCRIBE_TIMEOUT_MS)) : resolve(bytes as Buffer),
    );
  });
}

/** grpc-js takes wall time, and makes a duration of it again at once: a clock that is set later changes nothing. */
function deadlineIn(ms: number): number {
  return Date.now() + ms;
}

export function trace(
  client: EngineServiceClient,
  request: TraceRequest,
  context: CallContext,
): Promise<TraceResponse> {
  return callUnary(client, { ...traceMethod, check: checkTrace }, request, context);
}

export function recording(
  client: EngineServiceClient,
  request: GetRecordingRequest,
  context: CallContext,
): Promise<GetRecordingResponse> {
  return callUnary(client, { ...getRecording, check: checkRecording }, request, context);
}

interface CheckedMethod<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
  readonly check: (bytes: Buffer) => void;
}

/** The call's deadline is all the engine needs to know; a caller that aborts does not wait for the engine. */
function callUnary<Request, Response>(
  client: EngineServiceClient,
  { path, requestSerialize, responseDeserialize, check }: CheckedMethod<Request, Response>,
  request: Request,
  { deadlineMs, signal }: CallContext,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const options = deadlineMs === Infinity ? {} : { deadline: deadlineIn(deadlineMs - performance.now()) };
    const cancel = (): void => call.cancel();
    const deserialize = (bytes: Buffer): Response => {
      check(bytes);
      return responseDeserialize(bytes);
    };
    const metadata = new grpc.Metadata();
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      deserialize,
      request,
      metadata,
      options,
      (error, response) => {
        signal.removeEventListener('abort', cancel);
        if (error) reject(error);
        else resolve(response!);
      },
    );
    signal.addEventListener('abort', cancel);
    if (signal.aborted) cancel();
  });
}

/**
 * Opens a stream to the engine that described itself so. It ends with an error where the link or the process is another, or
 * where a message cannot hold what is owed.
 */
export function openStream(
  client: EngineServiceClient,
  engineId: string,
  described: DescribeResponse,
  owed: () => Owed,
): InferCall {
  let sent = 0n;
  let received = 0n;
  const serialize = (message: InferStreamRequest): Buffer => seal(encodeWithRoom(message), sent++);
  const deserialize = (bytes: Buffer): InferStreamResponse => {
    if (described.checksums && !isSealed(bytes, received++)) throw end(call, wrongChecksum(engineId));
    try {
      checkInferMessage(bytes, owed());
    } catch (error) {
      throw end(call, refusedUnread(`a message from engine "${engineId}"`, error));
    }
    return stream.responseDeserialize(bytes);
  };
  const metadata = new grpc.Metadata();
  metadata.set(CHECKSUMS_KEY, '1');
  const call = client.makeBidiStreamRequest(stream.path, serialize, deserialize, metadata);
  call.on('metadata', (theirs: grpc.Metadata) => {
    const [instanceId] = theirs.get(INSTANCE_ID_KEY);
    if (!Buffer.isBuffer(instanceId) || described.instanceId.length === 0) return;
    if (!instanceId.equals(described.instanceId)) end(call, otherProcess(engineId, instanceId, described.instanceId));
  });
  return call;
}

/** Ends the stream with a reason of our own. gRPC's would be INTERNAL or CANCELLED, whatever we found. */
function end(call: InferCall, why: string): Error {
  const error = new Error(why);
  call.destroy(error);
  call.cancel();
  return error;
}

function refusedUnread(what: string, error: unknown): string {
  return `${what} is refused unread: ${(error as Error).message}`;
}

function wrongChecksum(engineId: string): string {
  return `a message from engine "${engineId}" had a wrong checksum: the link changes bits; check the network between router and engine`;
}

function otherProcess(engineId: string, found: Buffer, described: Uint8Array): string {
  const [process, other] = [Buffer.from(described).toString('hex'), found.toString('hex')];
  return `engine "${engineId}" is process ${process}, but its stream led to process ${other}; give each engine an address of its own`;
}
