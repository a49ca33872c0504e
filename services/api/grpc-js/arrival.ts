// Tracks the arrival of one call's message: parses the gRPC frame around it byte by byte and does not keep the message.
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
  /** Time limit for a message, milliseconds, from the start of its call, or in a stream from its own start. */
  readonly timeoutMs: number;
  /** Maximum size of one message. */
  readonly maxMessageBytes: number;
  readonly onUnheard: (path: string, error: RouterError, sinceMs: number) => void;
  /** Called when the number of bytes held changes. May refuse calls. */
  readonly onBytes: (bytes: number) => void;
}

interface ComingCall {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  /** The caller may stream: each message has its own time limit, pauses between messages have none. */
  readonly requestStream: boolean;
  readonly call: Pick<ServerInterceptingCallInterface, 'sendStatus'>;
  /** Gets the bytes of an uncompressed message as they arrive. */
  readonly inspect: Inspect | undefined;
  readonly owner: CallerAccount | undefined;
}

/** The 5-byte gRPC prefix of a message: whether it is compressed, and its length. */
const HEAD_BYTES = 5;

export class Arrival {
  /** Start of the message, or of its call. */
  sinceMs = performance.now();
  /** Bytes of the message held so far. */
  bytes = 0;
  readonly #call: ComingCall;
  readonly #coming: Set<Arrival>;
  readonly #rules: ArrivalRules;
  /** Bytes read of the prefix, and bytes of the message that have not arrived yet. */
  #head = 0;
  #left = 0;
  #isOver = false;

  /** In `coming` while the message is awaited. */
  constructor(call: ComingCall, coming: Set<Arrival>, rules: ArrivalRules) {
    this.#call = call;
    this.#coming = coming;
    this.#rules = rules;
    const { stream, requestStream } = call;
    // Runs before gRPC's own listener, so that gRPC does not read a message that is refused here.
    stream.prependListener('data', this.#onData);
    stream.once('close', () => {
      this.#end();
      call.owner?.ended();
    });
    if (requestStream) return;
    coming.add(this);
    stream.once('end', () => coming.delete(this));
  }

  /** Ends the call while its message may still be arriving. */
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
    // A status alone is sent at once; after answers it is sent with them. Then the sender is told to stop.
    const stop = (): void => stream.close(constants.NGHTTP2_NO_ERROR);
    const hasAnswers = stream.headersSent;
    call.sendStatus(toGrpcJs(status));
    // gRPC would take the reset for the end of the message and run the handler.
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
    // grpc-js would refuse it, too, but without an error that programs can read.
    if (this.#head === HEAD_BYTES && this.#left > maxMessageBytes) this.refuse(messageTooLarge(maxMessageBytes));
  }

  /** The message is complete. In a stream, the window bounds the messages in flight. */
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
