// The methods of gRPC's interoperability tests, with the encoding of their messages.
import { join } from 'node:path';
import { type MethodDefinition, type ServiceDefinition, loadSync } from '@grpc/proto-loader';

interface Payload {
  readonly body: Uint8Array;
}

interface Flag {
  readonly value: boolean;
}

export interface EchoStatus {
  readonly code: number;
  readonly message: string;
}

export interface SimpleRequest {
  readonly responseSize?: number;
  readonly payload?: Payload | null;
  readonly responseCompressed?: Flag | null;
  readonly responseStatus?: EchoStatus | null;
  readonly expectCompressed?: Flag | null;
  readonly fillServerId?: boolean;
}

export interface PayloadAnswer {
  readonly payload: Payload | null;
  readonly serverId?: string;
}

export interface InputRequest {
  readonly payload?: Payload | null;
  readonly expectCompressed?: Flag | null;
}

export interface InputAnswer {
  readonly aggregatedPayloadSize: number;
}

export interface ResponseParameters {
  readonly size: number;
  readonly intervalUs?: number;
  readonly compressed?: Flag | null;
}

export interface OutputRequest {
  readonly responseParameters?: readonly ResponseParameters[];
  readonly payload?: Payload | null;
  readonly responseStatus?: EchoStatus | null;
}

/** Encodes and decodes the messages of a method, for both sides. */
export interface Codec<Request, Response> {
  readonly path: string;
  readonly encodeRequest: (request: Request) => Buffer;
  readonly decodeRequest: (bytes: Buffer) => Request;
  readonly encodeResponse: (response: Response) => Buffer;
  readonly decodeResponse: (bytes: Buffer) => Response;
}

const loaded = loadSync(join(import.meta.dirname, 'testing.proto'), { defaults: true });

function codec<Request, Response>(service: string, method: string): Codec<Request, Response> {
  const found = (loaded[`grpc.testing.${service}`] as ServiceDefinition)[method] as MethodDefinition<object, object>;
  return {
    path: found.path,
    encodeRequest: found.requestSerialize as Codec<Request, Response>['encodeRequest'],
    decodeRequest: found.requestDeserialize as Codec<Request, Response>['decodeRequest'],
    encodeResponse: found.responseSerialize as Codec<Request, Response>['encodeResponse'],
    decodeResponse: found.responseDeserialize as Codec<Request, Response>['decodeResponse'],
  };
}

export const emptyCall = codec<object, object>('TestService', 'EmptyCall');
export const unaryCall = codec<SimpleRequest, PayloadAnswer>('TestService', 'UnaryCall');
export const cacheableUnaryCall = codec<SimpleRequest, PayloadAnswer>('TestService', 'CacheableUnaryCall');
export const outputCall = codec<OutputRequest, PayloadAnswer>('TestService', 'StreamingOutputCall');
export const inputCall = codec<InputRequest, InputAnswer>('TestService', 'StreamingInputCall');
export const fullDuplexCall = codec<OutputRequest, PayloadAnswer>('TestService', 'FullDuplexCall');
export const halfDuplexCall = codec<OutputRequest, PayloadAnswer>('TestService', 'HalfDuplexCall');
export const unimplementedCall = codec<object, object>('TestService', 'UnimplementedCall');
export const unimplementedService = codec<object, object>('UnimplementedService', 'UnimplementedCall');

/** Metadata that the service sends back: as headers, and as trailers. */
export const ECHO_INITIAL = 'x-grpc-test-echo-initial';
export const ECHO_TRAILING = 'x-grpc-test-echo-trailing-bin';
