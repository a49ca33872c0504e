// One call of a client.
import { ErrorCode, type Headers, type Stream, type StreamHandler } from '../http2/index.ts';
import { type Encoding, compress } from './compression.ts';
import { messagePrefix } from './message-prefix.ts';
import { MessageReader, type MessageSink } from './message-reader.ts';
import type { Metadata } from './metadata.ts';
import { ResponseHead, statusOfReset } from './response-head.ts';
import { Code, type Status, status } from './status.ts';
import type { TimingWheel, Waiting } from './timing-wheel.ts';

/** Encoding and decoding of a method's messages. */
export interface ClientMethod<Request, Response> {
  /** "/package.Service/Method". */
  readonly path: string;
  /** The result is copied when it is sent, so its memory may be reused. */
  readonly encode: (request: Request) => Uint8Array;
  /** An exception ends the call with INTERNAL. The bytes may be kept. */
  readonly decode: (bytes: Buffer) => Response;
}

/** The part of AbortSignal that is used. */
export interface CancelSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Events of a client's call. */
export interface ResponseListener<Response> {
  onMetadata?(metadata: Metadata): void;
  onMessage(response: Response): void;
  /** Called once, at the end. */
  onStatus(status: Status): void;
  /** After `send` returned false: everything is sent. */
  onDrain?(): void;
}

/** The interface of the client for its calls. */
export interface CallClient {
  readonly wheel: TimingWheel;
  readonly maxMessageBytes: number;
  /** The call has lost its connection: report the reason by `fail`. */
  lose(call: { fail(end: Status): void }): void;
}

const EMPTY = new Uint8Array(0);
const LATE = status('DEADLINE_EXCEEDED', 'the deadline passed before the server answered');

export class ClientCall<Request, Response> implements StreamHandler, MessageSink, Waiting {
  dueMs: number;
  next: Waiting | undefined = undefined;
  previous: Waiting | undefined = undefined;
  isOver = false;
  hasUnsent = false;
  readonly #client: CallClient;
  readonly #method: ClientMethod<Request, Response>;
  readonly #listener: ResponseListener<Response>;
  readonly #encoding: Encoding;
  readonly #onAbort = (): void => this.cancel();
  #signal: CancelSignal | undefined = undefined;
  #stream: Stream | undefined = undefined;
  #reader: MessageReader | undefined = undefined;
  /** The status with which the call ends after its last message is read. */
  #end: Status | undefined = undefined;

  constructor(
    client: CallClient,
    method: ClientMethod<Request, Response>,
    listener: ResponseListener<Response>,
    dueMs: number,
    encoding: Encoding,
  ) {
    this.#client = client;
    this.#method = method;
    this.#listener = listener;
    this.dueMs = dueMs;
    this.#encoding = encoding;
  }

  /** Call it once. */
  begin(stream: Stream): void {
    this.#stream = stream;
    if (this.dueMs !== Infinity) this.#client.wheel.add(this);
  }

  /** Returns false if the caller should wait for onDrain. Throws the encoder's error. */
  send(request: Request, isCompressed = false): boolean {
    if (this.isOver) return false;
    const bytes = this.#method.encode(request);
    if (isCompressed && this.#encoding !== 'identity') this.#sendMessage(compress(bytes, this.#encoding), 1);
    else this.#sendMessage(bytes, 0);
    return !this.hasUnsent;
  }

  /** Ends the sending side. */
  end(): void {
    if (!this.isOver) this.#stream?.sendData(EMPTY, true);
  }

  cancel(message = 'the caller has cancelled the call'): void {
    this.#abandon(status('CANCELLED', message), ErrorCode.CANCEL);
  }

  cancelWith(signal: CancelSignal): void {
    if (this.isOver) return;
    this.#signal = signal;
    if (signal.aborted) this.cancel();
    else signal.addEventListener('abort', this.#onAbort);
  }

  /** Stops calls of onMessage and, by flow control, the server, until `resume`. */
  pause(): void {
    this.#listen().pause();
  }

  resume(): void {
    this.#listen().resume();
  }

  /** Ends a call that could not start or has lost its connection. */
  fail(end: Status): void {
    this.#finish(end);
  }

  // From the stream.

  onHeaders(headers: Headers, endStream: boolean): void {
    if (this.isOver) return;
    const head = ResponseHead.of(headers);
    if (endStream) this.#finish(head.problem ?? head.status);
    else if (head.problem !== undefined) this.#abandon(head.problem, ErrorCode.CANCEL);
    else {
      this.#listen().encoding = head.encoding;
      this.#listener.onMetadata?.(head.metadata);
    }
  }

  onData(chunk: Buffer, endStream: boolean): void {
    if (this.isOver) {
      this.#stream?.consume(chunk.length);
      return;
    }
    this.#listen().add(chunk);
    if (endStream) this.#endWith(status('INTERNAL', 'the server ended the call without a status'));
  }

  onTrailers(headers: Headers): void {
    this.#endWith(ResponseHead.of(headers).status);
  }

  onReset(code: number): void {
    if (this.isOver) return;
    // The reason for the closed connection follows.
    if (this.#stream?.connection.isClosed) this.#client.lose(this);
    // The server enforces the deadline, too, and its reset may arrive before the wheel's check.
    else if (code === ErrorCode.CANCEL && this.#client.wheel.isDue(this)) this.#endWith(LATE);
    else this.#endWith(statusOfReset(code));
  }

  onWritable(): void {
    this.hasUnsent = false;
    this.#listener.onDrain?.();
  }

  // From the reader.

  get owner(): object {
    return this.#client;
  }

  onMessage(bytes: Buffer): void {
    let response: Response;
    try {
      response = this.#method.decode(bytes);
    } catch (error) {
      const message = `the answer cannot be decoded (${(error as Error).message}); check the proto files of both sides`;
      this.#abandon(status('INTERNAL', message), ErrorCode.CANCEL);
      return;
    }
    this.#listener.onMessage(response);
  }

  onBadMessage(problem: Status): void {
    this.#abandon(problem, ErrorCode.CANCEL);
  }

  onConsumed(bytes: number): void {
    this.#stream?.consume(bytes);
  }

  onInflated(): void {}

  onCaughtUp(): void {
    if (this.#end === undefined || this.isOver) return;
    const isCut = this.#end.code === Code.OK && this.#reader?.isPartial === true;
    this.#finish(isCut ? status('INTERNAL', 'the server ended the call within a message') : this.#end);
  }

  // From the wheel.

  onDue(): void {
    this.#abandon(LATE, ErrorCode.CANCEL);
  }

  /** Waiting messages are read first. */
  #endWith(end: Status): void {
    if (this.isOver || this.#end !== undefined) return;
    this.#end = end;
    if (this.#reader?.isHeld !== true) this.onCaughtUp();
  }

  #listen(): MessageReader {
    return (this.#reader ??= new MessageReader(this, 'identity', this.#client.maxMessageBytes));
  }

  #sendMessage(bytes: Uint8Array, flag: number): void {
    if (this.#stream?.sendData(bytes, false, messagePrefix(flag, bytes.length)) === false) this.hasUnsent = true;
  }

  #abandon(end: Status, code: number): void {
    if (this.isOver) return;
    this.#stream?.reset(code);
    this.#finish(end);
  }

  #finish(end: Status): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#client.wheel.remove(this);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#reader?.stop();
    this.#listener.onStatus(end);
  }
}
