// The calls that a router's work depends on, Describe and InferStream, with the checks of their messages as they come over
// the link: what fails them is a fault of the link, and says nothing about the engine.
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import * as grpc from '@grpc/grpc-js';
import { serializer } from '../../core/serialize.ts';
import {
  DescribeResponse,
  type EngineServiceClient,
  EngineServiceService,
  InferStreamRequest,
  type InferStreamResponse,
} from '../../generated/tandem/engine/v1/engine.ts';
import { isSealed, seal, withRoom } from './message-checksum.ts';

export type InferCall = grpc.ClientDuplexStream<InferStreamRequest, InferStreamResponse>;

const DESCRIBE_TIMEOUT_MS = 2_000;

/** Tells the engine that every message of the stream has a checksum, so that it misses one also in the first. */
const CHECKSUMS_KEY = 'tandem-checksums';
/** The engine's process (`instance_id`), sent when the stream opens. */
const INSTANCE_ID_KEY = 'tandem-instance-id-bin';

const unary = EngineServiceService.describe;
const stream = EngineServiceService.inferStream;

/** Of all streams: they write one message at a time. */
const encodeWithRoom = serializer(withRoom(InferStreamRequest.encode), () => new BinaryWriter());

export async function describe(client: EngineServiceClient, engineId: string): Promise<DescribeResponse> {
  const bytes = await describeAsBytes(client);
  const hasRightChecksum = isSealed(bytes, 0n);
  const wire = DescribeResponse.decode(bytes);
  if ((wire.checksums || wire.checksum !== 0n) && !hasRightChecksum) throw new Error(wrongChecksum(engineId));
  return wire;
}

function describeAsBytes(client: EngineServiceClient): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const { path, requestSerialize } = unary;
    const options = { deadline: Date.now() + DESCRIBE_TIMEOUT_MS };
    const asBytes = (bytes: Buffer): Buffer => bytes;
    client.makeUnaryRequest(path, requestSerialize, asBytes, {}, new grpc.Metadata(), options, (error, bytes) =>
      error ? reject(error) : resolve(bytes as Buffer),
    );
  });
}

/** Opens a stream to the engine that described itself so. It ends with an error where the link or the process is another. */
export function openStream(client: EngineServiceClient, engineId: string, described: DescribeResponse): InferCall {
  let sent = 0n;
  let received = 0n;
  const serialize = (message: InferStreamRequest): Buffer => seal(encodeWithRoom(message), sent++);
  const deserialize = (bytes: Buffer): InferStreamResponse => {
    if (described.checksums && !isSealed(bytes, received++)) throw end(call, wrongChecksum(engineId));
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

function wrongChecksum(engineId: string): string {
  return `a message from engine "${engineId}" had a wrong checksum: the link changes bits; check the network between router and engine`;
}

function otherProcess(engineId: string, found: Buffer, described: Uint8Array): string {
  const [process, other] = [Buffer.from(described).toString('hex'), found.toString('hex')];
  return `engine "${engineId}" is process ${process}, but its stream led to process ${other}; give each engine an address of its own`;
}
