// Requests with Node's HTTP/2 that no gRPC client sends.
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';

export interface HttpAnswer {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export const HEADERS = { ':method': 'POST', ':path': '/t.T/Any', 'content-type': 'application/grpc', te: 'trailers' };

/** A gRPC message: its prefix, and its bytes. */
export function frame(message: string, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, Buffer.from(message)]);
}

/** `end`: the request ends after `body`. */
export function post(
  session: ClientHttp2Session,
  body: Buffer,
  over: Record<string, string> = {},
  end = true,
): Promise<HttpAnswer> {
  const stream = session.request({ ...HEADERS, ...over });
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  stream.on('response', (got) => (headers = got));
  stream.on('trailers', (got: IncomingHttpHeaders) => (trailers = got));
  const chunks: Buffer[] = [];
  stream.on('error', () => undefined).on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.write(body);
  if (end) stream.end();
  return new Promise((resolve) =>
    stream.on('close', () => resolve({ headers, trailers, body: Buffer.concat(chunks) })),
  );
}
