// Parses the headers of a request. Callers repeat header blocks, so the result is computed once and stored with the
// block.
import { type Headers, encodeHeaders } from '../http2/index.ts';
import { ACCEPTED, type Encoding, toEncoding } from './compression.ts';
import { escapeMessage } from './message-text.ts';
import { Metadata, malformedBinary } from './metadata.ts';
import type { Method } from './method.ts';
import { type PlainAnswer, plainAnswerTo } from './plain-refusal.ts';
import { type Status, status } from './status.ts';
import { parseTimeout } from './timeout.ts';

const CONTENT_TYPE = 'application/grpc';
const MAX_SHOWN = 200;

export class RequestHead {
  /** The result is only valid for this server. */
  readonly methods: ReadonlyMap<string, Method>;
  readonly method: Method | undefined;
  /** Infinity: none. */
  readonly timeoutMs: number;
  readonly encoding: Encoding;
  /** The best encoding that the caller accepts. */
  readonly answerEncoding: Encoding;
  readonly metadata: Metadata;
  /** The whole answer, if this is not a gRPC call. */
  readonly plainAnswer: PlainAnswer | undefined;
  /** The whole answer, if the call is refused because of its headers. */
  readonly refusal: Buffer | undefined;

  constructor(headers: Headers, methods: ReadonlyMap<string, Method>) {
    this.methods = methods;
    this.method = methods.get(headers.get(':path') ?? '');
    const timeout = headers.get('grpc-timeout');
    this.timeoutMs = (timeout === undefined ? Infinity : parseTimeout(timeout)) ?? NaN;
    this.encoding = toEncoding(headers.get('grpc-encoding')) ?? 'identity';
    this.answerEncoding = bestOf(headers.get('grpc-accept-encoding') ?? '');
    this.metadata = new Metadata(headers.list);
    this.plainAnswer = plainAnswerTo(headers);
    this.refusal = refusalOf(headers, this);
  }

  static of(headers: Headers, methods: ReadonlyMap<string, Method>): RequestHead {
    const { memo } = headers;
    if (memo instanceof RequestHead && memo.methods === methods) return memo;
    const head = new RequestHead(headers, methods);
    headers.memo = head;
    return head;
  }
}

function bestOf(accepted: string): Encoding {
  const names = accepted.split(',').map((name) => name.trim());
  if (names.includes('gzip')) return 'gzip';
  return names.includes('deflate') ? 'deflate' : 'identity';
}

function refusalOf(headers: Headers, head: RequestHead): Buffer | undefined {
  if (head.method === undefined) {
    const path = quoted(headers.get(':path') ?? '');
    return endHeaders(
      status('UNIMPLEMENTED', `there is no method ${path} here; check the names of package, service and method`),
    );
  }
  const encoding = headers.get('grpc-encoding');
  if (toEncoding(encoding) === undefined) {
    const message = `grpc-encoding ${quoted(encoding!)} is not known; there are ${ACCEPTED}`;
    return endHeaders(status('UNIMPLEMENTED', message), '200', ['grpc-accept-encoding', ACCEPTED]);
  }
  if (Number.isNaN(head.timeoutMs)) {
    const timeout = quoted(headers.get('grpc-timeout')!);
    return endHeaders(status('INTERNAL', `grpc-timeout ${timeout} is not 1 to 8 digits and one of HMSmun`));
  }
  const binary = malformedBinary(headers.list);
  if (binary === undefined) return undefined;
  return endHeaders(status('INTERNAL', `metadata ${quoted(binary)} is not valid base64; encode its bytes so`));
}

function quoted(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}

export function answerHeaders(encoding: Encoding, metadata: readonly string[] = []): Buffer {
  const list = [':status', '200', 'content-type', CONTENT_TYPE];
  if (encoding !== 'identity') list.push('grpc-encoding', encoding);
  return encodeHeaders([...list, ...metadata]);
}

/** A whole answer with only a status. The same object is encoded once. */
export function endBlock(end: Status): Buffer {
  return (end.block ??= endHeaders(end));
}

/** An answer with only a status. */
export function endHeaders(end: Status, httpStatus = '200', extra: readonly string[] = []): Buffer {
  return encodeHeaders([':status', httpStatus, 'content-type', CONTENT_TYPE, ...statusList(end), ...extra]);
}

/** A status after messages. */
export function endTrailers(end: Status): Buffer {
  return encodeHeaders(statusList(end));
}

function statusList({ code, message, metadata }: Status): string[] {
  const list = ['grpc-status', String(code)];
  if (message !== '') list.push('grpc-message', escapeMessage(message));
  return metadata === undefined ? list : [...list, ...metadata.list];
}
