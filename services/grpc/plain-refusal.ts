// The answer to a request that is not a gRPC call, such as a browser's: an HTTP status and a line of text. It waits for
// the end of the request, like HTTP servers, so that errors in the rest of the request are found as in a call.
import { type Headers, type Stream, type StreamHandler, encodeHeaders } from '../http2/index.ts';
import type { TimingWheel, Waiting } from './timing-wheel.ts';

const CONTENT_TYPE = 'application/grpc';

export interface PlainAnswer {
  readonly headers: Buffer;
  readonly text: Buffer;
}

const WRONG_TYPE = plainAnswer('415', 'send content-type application/grpc');
const WRONG_TYPE_OF_HEAD: PlainAnswer = { ...WRONG_TYPE, text: Buffer.alloc(0) };
const WRONG_METHOD = plainAnswer('405', 'send the HTTP method POST', ['allow', 'POST']);

function plainAnswer(httpStatus: string, advice: string, extra: readonly string[] = []): PlainAnswer {
  return {
    headers: encodeHeaders([':status', httpStatus, 'content-type', 'text/plain; charset=utf-8', ...extra]),
    text: Buffer.from(`This is a gRPC server: ${advice}.\n`),
  };
}

/** Returns undefined if these are the headers of a gRPC call. */
export function plainAnswerTo(headers: Headers): PlainAnswer | undefined {
  const verb = headers.get(':method');
  // The answer to HEAD has no content (RFC 9110, section 9.3.2).
  if (!isGrpc(headers.get('content-type') ?? '')) return verb === 'HEAD' ? WRONG_TYPE_OF_HEAD : WRONG_TYPE;
  return verb === 'POST' ? undefined : WRONG_METHOD;
}

/** Also "application/grpc+proto" and "application/grpc;…". */
function isGrpc(type: string): boolean {
  const text = type.toLowerCase();
  if (!text.startsWith(CONTENT_TYPE)) return false;
  const next = text[CONTENT_TYPE.length];
  return next === undefined || next === '+' || next === ';';
}

export function sendPlain(stream: Stream, { headers, text }: PlainAnswer): void {
  stream.sendHeaders(headers, false);
  stream.sendData(text, true);
}

/** Discards the rest of the request, and answers when it has ended or timed out. */
export class PlainRefusal implements StreamHandler, Waiting {
  dueMs: number;
  next: Waiting | undefined = undefined;
  previous: Waiting | undefined = undefined;
  readonly #stream: Stream;
  readonly #answer: PlainAnswer;
  readonly #wheel: TimingWheel;

  constructor(stream: Stream, answer: PlainAnswer, wheel: TimingWheel, timeoutMs: number) {
    this.dueMs = performance.now() + timeoutMs;
    this.#stream = stream;
    this.#answer = answer;
    this.#wheel = wheel;
    wheel.add(this);
  }

  onData(chunk: Buffer, endStream: boolean): void {
    this.#stream.consume(chunk.length);
    if (endStream) this.#end();
  }

  onTrailers(): void {
    this.#end();
  }

  onReset(): void {
    this.#wheel.remove(this);
  }

  onDue(): void {
    this.#end();
  }

  /** A request has no further headers. */
  onHeaders(): void {}

  /** Everything to send was already passed on. */
  onWritable(): void {}

  #end(): void {
    this.#wheel.remove(this);
    sendPlain(this.#stream, this.#answer);
  }
}
