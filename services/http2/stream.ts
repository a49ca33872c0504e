// One exchange of request and response: its state (RFC 9113, section 5.1), its windows, and its waiting data.
import { ReceiveWindow } from './flow-window.ts';
import { SendQueue } from './send-queue.ts';
import type { Connection, Stream, StreamHandler } from './types.ts';

const NOTHING = new Uint8Array(0);
/** Up to this length, prefix and bytes wait as one piece, so they become one frame. */
const ONE_PIECE_BYTES = 4_096;

/** The part of a connection that a stream uses. */
export interface StreamOwner extends Connection {
  writeHeaders(stream: Http2Stream, block: Uint8Array, endStream: boolean): void;
  /** Returns false, and writes nothing, if there is no room for all of it now. */
  writeData(stream: Http2Stream, bytes: Uint8Array, endStream: boolean, prefix: Uint8Array): boolean;
  /** `bytes` were added to the queue of the stream. */
  onQueued(stream: Http2Stream, bytes: number): void;
  resetStream(stream: Http2Stream, code: number): void;
  consume(stream: Http2Stream, bytes: number): void;
}

export class Http2Stream implements Stream {
  readonly id: number;
  readonly connection: StreamOwner;
  handler: StreamHandler | undefined = undefined;
  memo: unknown = undefined;
  /** Not ended on both sides, and not reset. */
  isOpen = true;
  /** The peer has sent its first header block (a response's, on a client). */
  hasHeaders = false;
  /** The peer has sent END_STREAM. */
  isRemoteEnded = false;
  /** The layer above has ended its side; END_STREAM may still wait in the queue. */
  isLocalEnding = false;
  /** END_STREAM was written. */
  isLocalEnded = false;
  /** The send window. It may be negative after the peer has lowered SETTINGS_INITIAL_WINDOW_SIZE. */
  sendWindow: number;
  readonly receiveWindow: ReceiveWindow;
  /** Bytes of content-length that have not yet arrived; -1 without content-length. */
  expectedBytes = -1;
  queue: SendQueue | undefined = undefined;

  constructor(connection: StreamOwner, id: number, sendWindow: number, receiveWindowBytes: number) {
    this.connection = connection;
    this.id = id;
    this.sendWindow = sendWindow;
    this.receiveWindow = new ReceiveWindow(receiveWindowBytes);
  }

  sendHeaders(block: Uint8Array, endStream: boolean): void {
    if (!this.isOpen || this.isLocalEnding) return;
    if (endStream) {
      this.sendTrailers(block);
      return;
    }
    this.connection.writeHeaders(this, block, false);
  }

  sendData(bytes: Uint8Array, endStream: boolean, prefix: Uint8Array = NOTHING): boolean {
    if (!this.isOpen || this.isLocalEnding) return true;
    this.isLocalEnding = endStream;
    if (this.queue === undefined && this.connection.writeData(this, bytes, endStream, prefix)) return true;
    return this.#enqueue(bytes, endStream, prefix);
  }

  sendTrailers(block: Uint8Array): void {
    if (!this.isOpen || this.isLocalEnding) return;
    this.isLocalEnding = true;
    if (this.queue === undefined) this.connection.writeHeaders(this, block, true);
    else this.queue.trailers = Buffer.from(block);
  }

  reset(code: number): void {
    this.connection.resetStream(this, code);
  }

  consume(bytes: number): void {
    this.connection.consume(this, bytes);
  }

  /** Called when the stream ends early. Waiting data is dropped. */
  abort(code: number): void {
    const { handler } = this;
    this.handler = undefined;
    handler?.onReset(code);
  }

  #enqueue(bytes: Uint8Array, endStream: boolean, prefix: Uint8Array): boolean {
    const queue = (this.queue ??= new SendQueue());
    const isSmall = bytes.length <= ONE_PIECE_BYTES;
    if (isSmall) queue.add(Buffer.concat([prefix, bytes]));
    else {
      queue.add(Uint8Array.from(prefix));
      queue.add(bytes);
    }
    queue.endsStream = endStream;
    queue.mustReport = true;
    this.connection.onQueued(this, prefix.length + bytes.length);
    // Copies data that was not sent at once: the caller may reuse its buffer.
    if (!isSmall) queue.ownLast();
    return !this.#isWaiting;
  }

  get #isWaiting(): boolean {
    return this.queue !== undefined;
  }
}
