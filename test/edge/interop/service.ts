// gRPC's interoperability test service on services/grpc.
import { Metadata } from '../../../services/grpc/metadata.ts';
import type { IncomingCall, Method, OneRequestMethod, StreamMethod } from '../../../services/grpc/method.ts';
import type { ServerCall } from '../../../services/grpc/server-call.ts';
import { status } from '../../../services/grpc/status.ts';
import {
  type Codec,
  ECHO_INITIAL,
  ECHO_TRAILING,
  type EchoStatus,
  type InputAnswer,
  type InputRequest,
  type OutputRequest,
  type PayloadAnswer,
  type ResponseParameters,
  type SimpleRequest,
  cacheableUnaryCall,
  emptyCall,
  fullDuplexCall,
  halfDuplexCall,
  inputCall,
  outputCall,
  unaryCall,
} from './methods.ts';

/** Case pick_first_unary: every call of a client is answered by the same server. */
const SERVER_ID = 'the only one';

const zeros = (size: number): PayloadAnswer => ({ payload: { body: Buffer.alloc(size) } });

function unary<Request, Response>(
  { path, decodeRequest, encodeResponse }: Codec<Request, Response>,
  handle: (call: ServerCall, request: Request) => void,
): OneRequestMethod<Request, Response> {
  return {
    path,
    requestStream: false,
    responseStream: true,
    decode: decodeRequest,
    encode: encodeResponse,
    handle: (call, request) => handle(call as unknown as ServerCall, request),
  };
}

function stream<Request, Response>(
  { path, decodeRequest, encodeResponse }: Codec<Request, Response>,
  handle: (call: ServerCall) => void,
): StreamMethod<Request, Response> {
  return {
    path,
    requestStream: true,
    responseStream: true,
    decode: decodeRequest,
    encode: encodeResponse,
    handle: (call) => handle(call as unknown as ServerCall),
  };
}

/** Sends the headers with the metadata that the caller requested. Messages may be compressed after that. */
function begin(call: ServerCall): void {
  const echo = call.metadata.first(ECHO_INITIAL);
  call.sendMetadata(echo === undefined ? new Metadata() : Metadata.of({ [ECHO_INITIAL]: echo }), true);
}

function end(call: ServerCall, status?: EchoStatus | null): void {
  const echo = call.metadata.first(ECHO_TRAILING);
  const trailers = echo === undefined ? undefined : new Metadata([ECHO_TRAILING, echo]);
  if (status?.code) call.fail({ code: status.code, message: status.message, metadata: trailers });
  else call.end(trailers);
}

/** The call names a compression; handlers do not learn whether each message is compressed. */
function isCompressed(call: IncomingCall): boolean {
  return (call.metadata.first('grpc-encoding') ?? 'identity') !== 'identity';
}

/** True if the request should be compressed and is not: the call has failed then. */
function failUncompressed(call: ServerCall, expected: boolean | undefined): boolean {
  if (expected !== true || isCompressed(call)) return false;
  call.fail(status('INVALID_ARGUMENT', 'the request should be compressed and is not'));
  return true;
}

function answerUnary(call: ServerCall, request: SimpleRequest): void {
  if (failUncompressed(call, request.expectCompressed?.value)) return;
  begin(call);
  const answer = { ...zeros(request.responseSize ?? 0), serverId: request.fillServerId === true ? SERVER_ID : '' };
  if (!request.responseStatus?.code) call.send(answer, request.responseCompressed?.value);
  end(call, request.responseStatus);
}

/** Sends the requested messages, each after its pause, and then calls back. */
function sendAll(call: ServerCall, parameters: readonly ResponseParameters[], then: () => void): void {
  const [first, ...rest] = parameters;
  if (first === undefined || call.isOver) {
    then();
    return;
  }
  const send = (): void => {
    call.send(zeros(first.size), first.compressed?.value);
    sendAll(call, rest, then);
  };
  const pauseMs = (first.intervalUs ?? 0) / 1_000;
  if (pauseMs > 0) setTimeout(send, pauseMs);
  else send();
}

function duplex(call: ServerCall, isHalf: boolean): void {
  const waiting: OutputRequest[] = [];
  let [isSending, isEnded] = [false, false];
  const next = (): void => {
    if (isSending || (isHalf && !isEnded)) return;
    const request = waiting.shift();
    if (request === undefined) {
      if (isEnded) end(call);
      return;
    }
    if (request.responseStatus?.code) {
      end(call, request.responseStatus);
      return;
    }
    isSending = true;
    sendAll(call, request.responseParameters ?? [], () => {
      isSending = false;
      next();
    });
  };
  begin(call);
  call.listener = {
    onMessage: (request: OutputRequest) => {
      waiting.push(request);
      next();
    },
    onEnd: () => {
      isEnded = true;
      next();
    },
  };
}

function aggregate(call: ServerCall): void {
  let bytes = 0;
  call.listener = {
    onMessage: ({ payload, expectCompressed }: InputRequest) => {
      if (failUncompressed(call, expectCompressed?.value)) return;
      bytes += payload?.body.length ?? 0;
    },
    onEnd: () => call.answer({ aggregatedPayloadSize: bytes } satisfies InputAnswer),
  };
}

export const TEST_SERVICE: readonly Method[] = [
  unary(emptyCall, (call) => call.answer({})),
  unary(unaryCall, answerUnary),
  unary(cacheableUnaryCall, answerUnary),
  unary(outputCall, (call, request) => {
    begin(call);
    sendAll(call, request.responseParameters ?? [], () => end(call, request.responseStatus));
  }),
  stream(inputCall, aggregate),
  stream(fullDuplexCall, (call) => duplex(call, false)),
  stream(halfDuplexCall, (call) => duplex(call, true)),
];
