// Converts a generated service and its handlers to the methods that an edge serves.
import type { IncomingCall, Method } from '../grpc/method.ts';

/** One rpc in the generated code. */
export interface Rpc {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestDeserialize: (bytes: Buffer) => unknown;
  readonly responseSerialize: (response: never) => Uint8Array;
}

export type Service = Readonly<Record<string, Rpc>>;

/** `request` is missing if the caller sends a stream: see CallListener.onMessage. */
export type Handler = (call: IncomingCall<never>, request: never) => void;

/** `handlers`: one for each rpc of the service, by name. `inspectors`: for the rpcs that have one. */
export function methodsOf<Names extends string>(
  service: Readonly<Record<Names, Rpc>>,
  handlers: Readonly<Record<Names, Handler>>,
  inspectors: Partial<Record<Names, Method['inspector']>> = {},
): Method[] {
  return (Object.keys(service) as Names[]).map((name) => {
    const { path, requestStream, responseStream, requestDeserialize, responseSerialize } = service[name];
    return {
      ...{ path, requestStream, responseStream, inspector: inspectors[name] },
      ...{ decode: requestDeserialize, encode: responseSerialize, handle: handlers[name] },
    } as Method;
  });
}
