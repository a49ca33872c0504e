// A unary method of the API whose handler is a test's.
import type { IncomingCall, Method } from '../../services/grpc/method.ts';

/** `path`: "Service/Method". */
export function fakeMethod<Request, Response>(
  path: string,
  decode: (bytes: Buffer) => Request,
  encode: (response: Response) => { finish(): Uint8Array },
  handle: (call: IncomingCall<Response>, request: Request) => void,
): Method {
  const encoded = (response: Response): Uint8Array => encode(response).finish();
  return { path: `/tandem.v1.${path}`, requestStream: false, responseStream: false, decode, encode: encoded, handle };
}
