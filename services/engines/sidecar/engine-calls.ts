// Unary calls to an engine. Its messages are checked before decoding: checksums, and limits on their content. A wrong
// checksum is a fault of the link and says nothing about the engine.
import type { ConnectionOptions } from 'node:tls';
import type { CallContext } from '../../core/inference.ts';
import {
  DescribeRequest,
  DescribeResponse,
  EngineServiceService,
  GetRecordingRequest,
  GetRecordingResponse,
  LoadModelRequest,
  LoadModelResponse,
  TraceRequest,
  TraceResponse,
  UnloadModelRequest,
  type UnloadModelResponse,
} from '../../generated/tandem/engine/v1/engine.ts';
import type { ClientMethod } from '../../grpc/client-call.ts';
import { GrpcClient } from '../../grpc/client.ts';
import { describeFailure, whyUnreachable } from './connect-error.ts';
import { type EngineTlsFiles, engineTls } from './engine-tls.ts';
import { MAX_MESSAGE_BYTES, checkDescription, checkLoaded, checkRecording, checkTrace } from './message-limits.ts';
import { isSealed } from './message-checksum.ts';

/** Time to connect, and the same again for the engine's description. */
const CONNECT_TIMEOUT_MS = 2_000;

const describeMethod: ClientMethod<DescribeRequest, Buffer> = {
  path: EngineServiceService.describe.path,
  encode: (request) => DescribeRequest.encode(request).finish(),
  decode: (bytes) => bytes,
};

const traceMethod: ClientMethod<TraceRequest, TraceResponse> = {
  path: EngineServiceService.trace.path,
  encode: (request) => TraceRequest.encode(request).finish(),
  decode: (bytes) => {
    checkTrace(bytes);
    return TraceResponse.decode(bytes);
  },
};

const recordingMethod: ClientMethod<GetRecordingRequest, GetRecordingResponse> = {
  path: EngineServiceService.getRecording.path,
  encode: (request) => GetRecordingRequest.encode(request).finish(),
  decode: (bytes) => {
    checkRecording(bytes);
    return GetRecordingResponse.decode(bytes);
  },
};

const loadMethod: ClientMethod<LoadModelRequest, LoadModelResponse> = {
  path: EngineServiceService.loadModel.path,
  encode: (request) => LoadModelRequest.encode(request).finish(),
  decode: (bytes) => {
    checkLoaded(bytes);
    return LoadModelResponse.decode(bytes);
  },
};

const unloadMethod: ClientMethod<UnloadModelRequest, UnloadModelResponse> = {
  path: EngineServiceService.unloadModel.path,
  encode: (request) => UnloadModelRequest.encode(request).finish(),
  decode: () => ({}),
};

/** Rejects with a reason for an operator. `signal` aborts. `files` undefined: plaintext. */
export async function connect(address: string, signal: AbortSignal, files?: EngineTlsFiles): Promise<GrpcClient> {
  try {
    return await GrpcClient.connect(address, {
      ...tlsOf(files, address),
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      maxMessageBytes: MAX_MESSAGE_BYTES, // for a compressed message, after decompression
      signal,
      // Without pings, a stopped process is not noticed.
      http2: { keepaliveSeconds: 10, keepaliveTimeoutSeconds: 2 },
    });
  } catch (error) {
    throw whyUnreachable(error, CONNECT_TIMEOUT_MS);
  }
}

function tlsOf(files: EngineTlsFiles | undefined, address: string): { readonly tls?: ConnectionOptions } {
  const tls = engineTls(files, address);
  return tls === undefined ? {} : { tls };
}

/** Rejects with a reason for an operator. */
export async function describe(client: GrpcClient, engineId: string): Promise<DescribeResponse> {
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

async function describeAsBytes(client: GrpcClient): Promise<Buffer> {
  try {
    return await client.unary(describeMethod, {}, { timeoutMs: CONNECT_TIMEOUT_MS });
  } catch (error) {
    throw describeFailure(error, client, CONNECT_TIMEOUT_MS);
  }
}

/** Rejects with StatusError. */
export function trace(client: GrpcClient, request: TraceRequest, context: CallContext): Promise<TraceResponse> {
  return client.unary(traceMethod, request, toOptions(context));
}

/** Rejects with StatusError. */
export function recording(
  client: GrpcClient,
  request: GetRecordingRequest,
  context: CallContext,
): Promise<GetRecordingResponse> {
  return client.unary(recordingMethod, request, toOptions(context));
}

/** Rejects with StatusError. */
export function loadModel(
  client: GrpcClient,
  request: LoadModelRequest,
  context: CallContext,
): Promise<LoadModelResponse> {
  return client.unary(loadMethod, request, toOptions(context));
}

/** Rejects with StatusError. */
export function unloadModel(
  client: GrpcClient,
  request: UnloadModelRequest,
  context: CallContext,
): Promise<UnloadModelResponse> {
  return client.unary(unloadMethod, request, toOptions(context));
}

/** The engine only needs the call's deadline; a caller that aborts does not wait for the engine. */
function toOptions({ deadlineMs, signal }: CallContext): { timeoutMs: number; signal: CallContext['signal'] } {
  return { timeoutMs: deadlineMs - performance.now(), signal };
}

export function refusedUnread(what: string, error: unknown): string {
  return `${what} is refused unread: ${(error as Error).message}`;
}

export function wrongChecksum(engineId: string): string {
  return `a message from engine "${engineId}" had a wrong checksum: the link changes bits; check the network between router and engine`;
}
