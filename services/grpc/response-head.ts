// Parses the headers and trailers of a response. The result is computed once and stored with the header block.
import { ErrorCode, type Headers } from '../http2/index.ts';
import { type Encoding, toEncoding } from './compression.ts';
import { unescapeMessage } from './message-text.ts';
import { Metadata } from './metadata.ts';
import { Code, type CodeName, type Status, status } from './status.ts';

const CODE = /^\d{1,5}$/;
const RESERVED = /^(:|grpc-(status|message|encoding|accept-encoding)$|content-type$)/;
/** The gRPC status for an HTTP status from a server that does not speak gRPC (gRPC's http-grpc-status-mapping.md). */
const OF_HTTP: Readonly<Record<string, CodeName>> = {
  400: 'INTERNAL',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'UNIMPLEMENTED',
  429: 'UNAVAILABLE',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'UNAVAILABLE',
};
const OF_RESET: Readonly<Record<number, readonly [CodeName, string]>> = {
  [ErrorCode.REFUSED_STREAM]: ['UNAVAILABLE', 'the server has not begun with the call; send it again'],
  [ErrorCode.CANCEL]: ['CANCELLED', 'the server has cancelled the call'],
  [ErrorCode.ENHANCE_YOUR_CALM]: ['RESOURCE_EXHAUSTED', 'the server asks for fewer calls'],
  [ErrorCode.INADEQUATE_SECURITY]: ['PERMISSION_DENIED', 'the connection is not secure enough for the server'],
};

/** For headers and trailers. */
export class ResponseHead {
  /** The status with which the call ends, if these headers do not start an answer. */
  readonly problem: Status | undefined;
  readonly encoding: Encoding;
  readonly metadata: Metadata;
  readonly #headers: Headers;
  #status: Status | undefined;

  constructor(headers: Headers) {
    this.#headers = headers;
    this.metadata = new Metadata(headers.list);
    this.encoding = toEncoding(headers.get('grpc-encoding')) ?? 'identity';
    this.problem = problemOf(headers);
  }

  static of(headers: Headers): ResponseHead {
    if (headers.memo instanceof ResponseHead) return headers.memo;
    const head = new ResponseHead(headers);
    headers.memo = head;
    return head;
  }

  /** The status with which the call ends, if these are the last headers. */
  get status(): Status {
    return (this.#status ??= statusOf(this.#headers));
  }
}

function problemOf(headers: Headers): Status | undefined {
  const http = headers.get(':status') ?? '';
  const type = headers.get('content-type') ?? '';
  const isGrpc = type.toLowerCase().startsWith('application/grpc');
  if (http === '200' && isGrpc) {
    const encoding = headers.get('grpc-encoding');
    if (toEncoding(encoding) !== undefined) return undefined;
    return status(
      'INTERNAL',
      `the server compresses with ${JSON.stringify(encoding)}, which this client did not offer`,
    );
  }
  // A grpc-status in the same block says more.
  if (headers.get('grpc-status') !== undefined) return undefined;
  const what = http === '200' ? `content-type ${JSON.stringify(type)}` : `HTTP status ${http}`;
  return status(
    OF_HTTP[http] ?? 'UNKNOWN',
    `what listens there answers with ${what} and is no gRPC server; check the address`,
  );
}

function statusOf(headers: Headers): Status {
  const list: string[] = [];
  for (let at = 0; at < headers.list.length; at += 2) {
    if (!RESERVED.test(headers.list[at]!)) list.push(headers.list[at]!, headers.list[at + 1]!);
  }
  const metadata = new Metadata(list);
  const code = headers.get('grpc-status') ?? '';
  return CODE.test(code)
    ? { code: Number(code), message: unescapeMessage(headers.get('grpc-message') ?? ''), metadata }
    : { code: Code.UNKNOWN, message: 'the server ended the call without a status', metadata };
}

/** The status of a call whose stream the server reset. */
export function statusOfReset(code: number): Status {
  const [name, text] =
    OF_RESET[code] ?? (['INTERNAL', `the server has reset the call (HTTP/2 error ${code})`] as const);
  return status(name, text);
}
