// One call whose message comes in: the frame of gRPC around it is followed byte by byte, the message itself is not kept.
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { type IncomingHttpHeaders, type ServerHttp2Stream, constants } from 'node:http2';
import type { CallerAccount } from '../../auth/caller-account.ts';
import type { RouterError } from '../../core/errors.ts';
import type { Inspect } from '../../grpc/message-reader.ts';
import type { Status } from '../../grpc/status.ts';
import { toStatus } from '../status.ts';
import { flaggedAsCompressed, messageTooLarge } from '../unheard.ts';
import { toGrpcJs } from './call.ts';

export interface ArrivalRules {
  /** Of a message, from its call's begin, or in a stream from its own. Milliseconds. */
  readonly timeoutMs: number;
  /** Of one message. */
  readonly maxMessageBytes: number;
  readonly onUnheard: (path: string, error: RouterError, sinceMs: number) => void;
  /** So many more bytes are held, or fewer. May refuse calls. */
  readonly onBytes: (bytes: number) => void;
}

interface ComingCall {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  /** Messages may come for as long as its caller likes: each has a time of its own, silence between them has none. */
  readonly requestStream: boolean;
  readonly call: Pick<ServerInterceptingCallInterface, 'sendStatus'>;
  /** Sees the bytes of a message that is not compressed while they come. */
  readonly inspect: Inspect | undefined;
  readonly owner: CallerAccount | undefined;
}

/** Of a message: whether it is compressed, and its length. */
const HEAD_BYTES = 5;

export class Arrival {
  /** When the message, or its call, began. */
  sinceMs = performance.now();
  /** Held of it. */
  bytes = 0;
  readonly #call: ComingCall;
  readonly #coming: Set<Arrival>;
  readonly #rules: ArrivalRules;
  /** Of its head, bytes that were read; of the message, bytes that are still to come. */
  #head = 0;
  #left = 0;
  #isOver = false;

  /** Is in `coming` as long as the message is awaited. */
  constructor(call: ComingCall, coming: Set<Arrival>, rules: ArrivalRules) {
    this.#call = call;
    this.#coming = coming;
    this.#rules = rules;
    const { stream, requestStream } = call;
    // Before gRPC's own listener, so that what is refused here is not read there.
    stream.prependListener('data', this.#onData);
    stream.once('close', () => {
      this.#end();
      call.owner?.ended();
    });
    if (requestStream) return;
    coming.add(this);
    stream.once('end', () => coming.delete(this));
  }

  /** Ends the call while its message may still be on its way. */
  refuse(error: RouterError): void {
    const { path, requestStream } = this.#call;
    if (!requestStream) this.#rules.onUnheard(path, error, this.sinceMs);
    this.#endWith(toStatus(error));
  }

  /** Ends a stream that its caller may no longer have open. */
  cut(error: RouterError): void {
    if (!this.#isOver) this.#endWith(toStatus(error));
  }

  #endWith(status: Status): void {
    const { stream, call } = this.#call;
    this.#end();
    // A status alone is on its way at once, one after answers when these are; then the sender is told to stop.
    const stop = (): void => stream.close(constants.NGHTTP2_NO_ERROR);
    const hasAnswers = stream.headersSent;
    call.sendStatus(toGrpcJs(status));
    // gRPC would take the stop for the end of the message, and run the handler.
    stream.removeAllListeners('end');
    if (hasAnswers) stream.once('wantTrailers', () => setImmediate(stop));
    else stop();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#call.stream.off('data', this.#onData);
    this.#coming.delete(this);
    this.#hold(-this.bytes);
  }

  #hold(bytes: number): void {
    this.bytes += bytes;
    this.#rules.onBytes(bytes);
    const { owner } = this.#call;
    if (owner?.hold(bytes) === false && !this.#isOver) this.refuse(owner.tooManyBytes());
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#hold(chunk.length);
    let at = 0;
    while (at < chunk.length && !this.#isOver) {
      if (this.#head < HEAD_BYTES) this.#takeHead(chunk[at++]!);
      else {
        const taken = Math.min(this.#left, chunk.length - at);
        const { inspect } = this.#call;
        const problem = inspect?.(chunk.subarray(at, at + taken));
        if (problem !== undefined) this.#endWith(problem);
        this.#left -= taken;
        at += taken;
      }
      if (this.#head === HEAD_BYTES && this.#left === 0) this.#beginNext();
    }
  };

  #takeHead(byte: number): void {
    if (this.#head > 0) this.#left = this.#left * 256 + byte;
    else if (byte !== 0 && !(byte === 1 && isCompressed(this.#call.headers))) this.refuse(flaggedAsCompressed());
    else if (this.#call.requestStream) {
      this.sinceMs = performance.now();
      this.#coming.add(this);
    }
    this.#head += 1;
    const { maxMessageBytes } = this.#rules;
    // grpc-js would refuse it, too, and not say so in a way that programs understand.
    if (this.#head === HEAD_BYTES && this.#left > maxMessageBytes) this.refuse(messageTooLarge(maxMessageBytes));
  }

  /** The message is whole. Of a stream, those that are under way are bounded by its window. */
  #beginNext(): void {
    this.#head = 0;
    this.#left = 0;
    if (!this.#call.requestStream || this.#isOver) return;
    this.#coming.delete(this);
    this.#hold(-this.bytes);
  }
}

export function isCompressed(headers: IncomingHttpHeaders): boolean {
  const encoding = headers['grpc-encoding'];
  return encoding !== undefined && encoding !== 'identity';
}
