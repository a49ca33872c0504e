// One call on a server: connects the frames of its stream with its handler. This object also waits for the call's
// deadline; a unary call whose message arrives in one piece needs no other object.
import type { Stream, StreamHandler } from '../http2/index.ts';
import type { Arriving, Unheard } from './arrivals.ts';
import type { CallHost } from './call-host.ts';
import { type Encoding, compress } from './compression.ts';
import { messagePrefix } from './message-prefix.ts';
import { MessageReader, type MessageSink, PREFIX_BYTES, isPlainMessage } from './message-reader.ts';
import type { Metadata } from './metadata.ts';
import type { CallListener, CallOwner, IncomingCall, Method } from './method.ts';
import type { Peer } from './peer.ts';
import { type RequestHead, answerHeaders, endBlock, endTrailers } from './request-head.ts';
import { copyOf } from './slab.ts';
import { type Status, status } from './status.ts';
import type { Waiting } from './timing-wheel.ts';

const PLAIN_HEADERS = answerHeaders('identity');
const OK: Status = { code: 0, message: '' };
const OK_TRAILERS = endTrailers(OK);
const OWNER_FULL = status('RESOURCE_EXHAUSTED', 'your requests hold too many bytes; send fewer at once');
const BUG = status('INTERNAL', 'the handler failed; see the log of the server');

export class ServerCall implements IncomingCall, StreamHandler, MessageSink, Arriving, Waiting {
  readonly startedMs: number;
  readonly deadlineMs: number;
  readonly owner: CallOwner | undefined;
  readonly method: Method;
  listener: CallListener | undefined = undefined;
  isOver = false;
  hasUnsent = false;
  /** For the timing wheel. */
  dueMs = Infinity;
  next: Waiting | undefined = undefined;
  previous: Waiting | undefined = undefined;
  openBytes = 0;
  readonly #host: CallHost;
  readonly #peer: Peer;
  readonly #stream: Stream;
  readonly #head: RequestHead;
  #reader: MessageReader | undefined = undefined;
  /** The message of a unary call. */
  #request: Buffer | undefined = undefined;
  /** The caller has finished sending. */
  #isInputEnded = false;
  /** The handler has its request, or the end of its stream. */
  #hasMessage = false;
  #hasHeaders = false;
  #encoding: Encoding = 'identity';
  /** Start of the awaited message; NaN: none is awaited. */
  #sinceMs: number;
  /** Number of the arriving message. */
  #coming = -1;

  constructor(
    host: CallHost,
    peer: Peer,
    stream: Stream,
    head: RequestHead,
    method: Method,
    owner: CallOwner | undefined,
  ) {
    this.owner = owner;
    this.#host = host;
    this.#peer = peer;
    this.#stream = stream;
    this.#head = head;
    this.method = method;
    this.startedMs = performance.now();
    this.deadlineMs = this.startedMs + head.timeoutMs;
    this.#sinceMs = method.requestStream ? NaN : this.startedMs;
  }

  get path(): string {
    return this.method.path;
  }

  get metadata(): Metadata {
    return this.#head.metadata;
  }

  get peer(): string {
    return this.#peer.address;
  }

  /** Call once, before the first data. */
  begin(isInputEnded: boolean): void {
    this.#isInputEnded = isInputEnded;
    this.#await();
    if (this.method.requestStream) {
      this.#listen();
      try {
        this.method.handle(this);
      } catch (error) {
        this.#bug(error);
      }
      if (isInputEnded) this.onCaughtUp();
    } else if (isInputEnded) this.#endInput();
  }

  // From the stream.

  onData(chunk: Buffer, endStream: boolean): void {
    if (this.isOver) {
      this.#stream.consume(chunk.length);
      return;
    }
    if (endStream) this.#isInputEnded = true;
    if (endStream && this.#reader === undefined && this.#isOneMessage(chunk)) {
      this.#stream.consume(chunk.length);
      this.#request = copyOf(chunk, PREFIX_BYTES, chunk.length - PREFIX_BYTES);
      this.#endInput();
      return;
    }
    this.#listen().add(chunk);
    this.#account();
    if (endStream && !this.#reader!.isHeld) this.onCaughtUp();
  }

  /** A request has none. */
  onHeaders(): void {}

  /** gRPC requests have no trailers; if there are any, they also end the input. */
  onTrailers(): void {
    this.#isInputEnded = true;
    if (!this.isOver && !this.#reader?.isHeld) this.onCaughtUp();
  }

  onReset(): void {
    this.#cut();
  }

  onWritable(): void {
    this.hasUnsent = false;
    this.#tell('onDrain');
  }

  // From the reader.

  onMessage(bytes: Buffer): void {
    if (this.method.requestStream) this.#give(bytes);
    else if (this.#request === undefined) this.#request = bytes;
    else this.fail(status('UNIMPLEMENTED', 'the call has several messages, and its method takes one'));
  }

  onBadMessage(problem: Status, isFlag: boolean): void {
    this.refuse(isFlag ? 'COMPRESSED_FLAG' : 'BAD', problem);
  }

  onConsumed(bytes: number): void {
    this.#stream.consume(bytes);
  }

  /** A few bytes sent may be many to read: they cost the caller as much as data that is not used. */
  onInflated(bytes: number): void {
    if (bytes > 0) this.owner?.discarded(bytes);
  }

  onCaughtUp(): void {
    this.#account();
    if (!this.#isInputEnded || this.isOver || this.#hasMessage) return;
    if (this.#reader?.isPartial) this.fail(status('INTERNAL', 'the request ended within a message; send it whole'));
    else this.#endInput();
  }

  // From the server.

  onDue(nowMs: number): void {
    if (nowMs >= this.deadlineMs) {
      const message = 'the deadline passed before the answer was ready';
      this.#end(status('DEADLINE_EXCEEDED', message), true);
      return;
    }
    const { messageTimeoutMs } = this.#host.arrivals.limits;
    if (nowMs - this.#sinceMs >= messageTimeoutMs) {
      const message = `the request was not complete within ${messageTimeoutMs} ms; send it whole, and end it`;
      this.refuse('LATE', status('DEADLINE_EXCEEDED', message));
    } else this.#await();
  }

  /** Ends the call while its message may still be arriving. */
  refuse(why: Unheard, problem: Status): void {
    if (this.isOver) return;
    this.owner?.discarded(this.openBytes);
    const sent = this.#host.onUnheard(why, problem, this.method, this.startedMs, this.owner);
    this.#end(sent, true);
  }

  /** Ends the call though its handler has not. */
  cutWith(problem: Status): void {
    this.#end(problem, true);
  }

  // From the handler.

  answer(response: unknown): void {
    if (this.isOver) return;
    const bytes = this.#encode(response);
    if (bytes === undefined) return;
    this.#sendHeaders();
    this.#sendMessage(bytes, 0);
    this.#stream.sendTrailers(OK_TRAILERS);
    this.#finish();
  }

  send(response: unknown, isCompressed = false): boolean {
    if (this.isOver) return false;
    const bytes = this.#encode(response);
    if (bytes === undefined) return false;
    this.#sendHeaders();
    if (isCompressed && this.#encoding !== 'identity') this.#sendMessage(compress(bytes, this.#encoding), 1);
    else this.#sendMessage(bytes, 0);
    return !this.hasUnsent;
  }

  end(trailers?: Metadata): void {
    if (this.isOver) return;
    this.#sendHeaders();
    this.#stream.sendTrailers(trailers === undefined ? OK_TRAILERS : endTrailers({ ...OK, metadata: trailers }));
    this.#finish();
  }

  fail(problem: Status): void {
    this.#end(problem, false);
  }

  /** Call before the first message. `mayCompress`: messages may be compressed if the caller supports it. */
  sendMetadata(metadata: Metadata, mayCompress = false): void {
    if (this.isOver || this.#hasHeaders) return;
    if (mayCompress) this.#encoding = this.#head.answerEncoding;
    this.#hasHeaders = true;
    this.#stream.sendHeaders(answerHeaders(this.#encoding, metadata.list), false);
  }

  pause(): void {
    this.#reader?.pause();
    this.#account(); // no time limit for a message that we do not read
  }

  resume(): void {
    this.#reader?.resume();
  }

  /** The request is complete, or its stream has ended. */
  #endInput(): void {
    this.#hasMessage = true;
    const method = this.method;
    if (method.requestStream) {
      this.#tell('onEnd');
      return;
    }
    this.#sinceMs = NaN;
    if (this.#reader !== undefined) this.#host.arrivals.ended(this);
    if (this.deadlineMs === Infinity) this.#host.arrivals.wheel.remove(this);
    const bytes = this.#request;
    this.#request = undefined;
    if (bytes === undefined) {
      this.fail(status('UNIMPLEMENTED', 'the call has no message, and its method takes one'));
      return;
    }
    if (!this.#hold(bytes.length - this.openBytes)) return;
    const request = this.#decode(bytes);
    if (this.isOver) return;
    try {
      method.handle(this, request);
    } catch (error) {
      this.#bug(error);
    }
  }

  #give(bytes: Buffer): void {
    const request = this.#decode(bytes);
    if (this.isOver) return;
    try {
      this.listener?.onMessage?.(request as never);
    } catch (error) {
      this.#bug(error);
    }
  }

  #tell(what: 'onEnd' | 'onDrain' | 'onCut'): void {
    try {
      this.listener?.[what]?.();
    } catch (error) {
      this.#bug(error);
    }
  }

  /** The chunk is the whole request, so no reader is needed. */
  #isOneMessage(chunk: Buffer): boolean {
    const { requestStream, inspector } = this.method;
    if (requestStream || inspector !== undefined) return false;
    return isPlainMessage(chunk, this.#host.arrivals.limits.maxMessageBytes);
  }

  #listen(): MessageReader {
    const { arrivals } = this.#host;
    const inspect = this.#head.encoding === 'identity' ? this.method.inspector?.(this.owner) : undefined;
    return (this.#reader ??= new MessageReader(this, this.#head.encoding, arrivals.limits.maxMessageBytes, inspect));
  }

  /** Counts the bytes that the reader holds, and starts the time limit of a message that has begun. */
  #account(): void {
    const reader = this.#reader;
    if (reader === undefined || this.isOver) return;
    const { arrivals } = this.#host;
    const isAwaited = !this.method.requestStream && !this.#hasMessage;
    if (reader.isPartial || reader.isDecompressing || isAwaited) arrivals.began(this);
    if (!this.#hold(reader.bytesHeld + (this.#request?.length ?? 0) - this.openBytes) || isAwaited) return;
    if (!reader.isPartial) {
      if (!reader.isDecompressing) arrivals.ended(this);
      this.#coming = -1;
      this.#sinceMs = NaN;
      return;
    }
    if (reader.count === this.#coming) return;
    this.#coming = reader.count;
    this.#sinceMs = performance.now();
    arrivals.wheel.remove(this);
    this.#await();
  }

  /** Returns false if that has ended the call. */
  #hold(bytes: number): boolean {
    if (bytes === 0) return true;
    this.openBytes += bytes;
    this.#host.arrivals.hold(bytes);
    if (this.owner?.hold(bytes) === false) this.refuse('OWNER_FULL', OWNER_FULL);
    return !this.isOver;
  }

  /** Sets the wheel for the deadline or the time limit of the message. */
  #await(): void {
    const { wheel, limits } = this.#host.arrivals;
    const lateMs = this.#sinceMs + limits.messageTimeoutMs;
    this.dueMs = lateMs < this.deadlineMs ? lateMs : this.deadlineMs;
    if (this.dueMs !== Infinity) wheel.add(this);
  }

  #decode(bytes: Buffer): unknown {
    try {
      return this.method.decode(bytes);
    } catch (error) {
      const message = `the request cannot be decoded (${(error as Error).message}); check the client's proto files`;
      this.fail(status('INTERNAL', message));
      return undefined;
    }
  }

  #encode(response: unknown): Uint8Array | undefined {
    try {
      return this.method.encode(response);
    } catch (error) {
      this.#bug(error);
      return undefined;
    }
  }

  #bug(error: unknown): void {
    this.#host.onBug(this.method.path, error);
    this.fail(BUG);
  }

  #sendHeaders(): void {
    if (this.#hasHeaders) return;
    this.#hasHeaders = true;
    this.#stream.sendHeaders(PLAIN_HEADERS, false);
  }

  #sendMessage(bytes: Uint8Array, flag: number): void {
    if (!this.#stream.sendData(bytes, false, messagePrefix(flag, bytes.length))) this.hasUnsent = true;
  }

  /** `isCut`: the handler has not ended the call itself, and is told if it has started. */
  #end(problem: Status, isCut: boolean): void {
    if (this.isOver) return;
    if (this.#hasHeaders) this.#stream.sendTrailers(endTrailers(problem));
    else this.#stream.sendHeaders(endBlock(problem), true);
    if (isCut) this.#cut();
    else this.#finish();
  }

  #cut(): void {
    if (this.isOver) return;
    this.#finish();
    this.#tell('onCut');
  }

  #finish(): void {
    this.isOver = true;
    const { arrivals } = this.#host;
    arrivals.wheel.remove(this);
    if (this.#reader !== undefined) {
      arrivals.ended(this);
      this.#reader.stop();
    }
    this.#hold(-this.openBytes);
    this.owner?.ended();
    this.#host.closed(this.#peer, this.owner);
  }
}
