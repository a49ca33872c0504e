// Sends headers and data within the peer's limits. Streams with waiting data take turns, one frame each.
import type { Budgets } from './budgets.ts';
import { ConnectionError, ErrorCode } from './error-codes.ts';
import { DEFAULT_WINDOW, Flag, FrameType, MAX_FRAME_BYTES, MAX_WINDOW } from './frames.ts';
import { NO_TABLE } from './hpack-encoder.ts';
import type { Output } from './output.ts';
import type { SendQueue } from './send-queue.ts';
import type { Http2Stream } from './stream.ts';

const NOTHING = new Uint8Array(0);
const FIRST_BLOCK = Uint8Array.of(NO_TABLE);

export class Sender {
  /** Bytes of waiting data of all streams. */
  queuedBytes = 0;
  readonly #output: Output;
  readonly #budgets: Budgets;
  readonly #onEnded: (stream: Http2Stream) => void;
  /** The send window of the connection. */
  #window = DEFAULT_WINDOW;
  /** Streams with waiting data and an open window. */
  #line: Http2Stream[] = [];
  #isPumping = false;
  #blockPrefix: Uint8Array = FIRST_BLOCK;

  /** `onEnded` is called when END_STREAM is written. */
  constructor(output: Output, budgets: Budgets, onEnded: (stream: Http2Stream) => void) {
    this.#output = output;
    this.#budgets = budgets;
    this.#onEnded = onEnded;
  }

  headers(stream: Http2Stream, block: Uint8Array, endStream: boolean): void {
    this.rawHeaders(stream.id, block, endStream);
    if (endStream) this.#onEnded(stream);
  }

  /** For a stream without an object. */
  rawHeaders(id: number, block: Uint8Array, endStream: boolean): void {
    const prefix = this.#blockPrefix;
    this.#blockPrefix = NOTHING;
    this.#budgets.onSent();
    const flags = endStream ? Flag.END_STREAM : 0;
    if (block.length < MAX_FRAME_BYTES) {
      this.#output.frame(FrameType.HEADERS, flags | Flag.END_HEADERS, id, block, prefix);
      return;
    }
    this.#output.frame(FrameType.HEADERS, flags, id, NOTHING, prefix);
    for (let at = 0; at < block.length; at += MAX_FRAME_BYTES) {
      const end = Math.min(block.length, at + MAX_FRAME_BYTES);
      const isLast = end === block.length;
      this.#output.frame(FrameType.CONTINUATION, isLast ? Flag.END_HEADERS : 0, id, block.subarray(at, end), NOTHING);
    }
  }

  /** Returns false, and writes nothing, if there is no room for all of it now. */
  data(stream: Http2Stream, bytes: Uint8Array, endStream: boolean, prefix: Uint8Array): boolean {
    const length = prefix.length + bytes.length;
    if (length > MAX_FRAME_BYTES || length > this.#window || length > stream.sendWindow || this.#output.isBlocked) {
      return length === 0 && !endStream;
    }
    if (length > 0 || endStream) this.#writeData(stream, bytes, endStream, prefix);
    return true;
  }

  /** `bytes` were added to the queue of the stream. */
  enqueued(stream: Http2Stream, bytes: number): void {
    this.queuedBytes += bytes;
    this.#standInLine(stream);
    this.pump();
  }

  /** Sends waiting data, as far as there is room. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      let next = 0;
      for (; next < this.#line.length && !this.#output.isBlocked; next++) {
        const stream = this.#line[next]!;
        const { queue } = stream;
        if (queue === undefined) continue;
        if (this.#window <= 0 && queue.bytes > 0) break;
        queue.isInLine = false;
        this.#sendSome(stream, queue);
      }
      if (next > 0) this.#line = this.#line.slice(next);
    } finally {
      this.#isPumping = false;
    }
  }

  /** Drops the waiting data of a stream that is reset. */
  drop(stream: Http2Stream): void {
    if (stream.queue === undefined) return;
    this.queuedBytes -= stream.queue.bytes;
    stream.queue = undefined;
  }

  /** Enlarges the window of the connection. Throws FLOW_CONTROL_ERROR if it becomes too large. */
  enlarge(increment: number): void {
    this.#window += increment;
    if (this.#window > MAX_WINDOW) {
      throw new ConnectionError(
        ErrorCode.FLOW_CONTROL_ERROR,
        'WINDOW_UPDATE makes the window of the connection too large',
      );
    }
    this.pump();
  }

  /** Enlarges the window of a stream; SETTINGS can also reduce it. Returns false if it becomes too large. */
  enlargeStream(stream: Http2Stream, increment: number): boolean {
    stream.sendWindow += increment;
    if (stream.sendWindow > MAX_WINDOW) return false;
    if (stream.queue !== undefined && stream.sendWindow > 0) this.#standInLine(stream);
    return true;
  }

  #standInLine(stream: Http2Stream): void {
    const queue = stream.queue!;
    if (queue.isInLine) return;
    queue.isInLine = true;
    this.#line.push(stream);
  }

  #sendSome(stream: Http2Stream, queue: SendQueue): void {
    const most = Math.min(MAX_FRAME_BYTES, this.#window, stream.sendWindow);
    // A stream without an open window leaves the list until the peer enlarges its window.
    if (queue.bytes > 0 && most <= 0) return;
    const piece = queue.take(most);
    this.queuedBytes -= piece.length;
    const isLast = queue.bytes === 0;
    if (isLast) {
      stream.queue = undefined;
    } else {
      this.#standInLine(stream);
    }
    const endStream = isLast && queue.endsStream;
    if (piece.length > 0 || endStream) this.#writeData(stream, piece, endStream, NOTHING);
    if (!isLast) return;
    if (queue.trailers !== undefined) this.headers(stream, queue.trailers, true);
    else if (queue.mustReport && !endStream) stream.handler?.onWritable();
  }

  #writeData(stream: Http2Stream, bytes: Uint8Array, endStream: boolean, prefix: Uint8Array): void {
    const length = prefix.length + bytes.length;
    this.#window -= length;
    stream.sendWindow -= length;
    this.#budgets.onSent();
    this.#output.frame(FrameType.DATA, endStream ? Flag.END_STREAM : 0, stream.id, bytes, prefix);
    this.#output.relieve();
    if (endStream) this.#onEnded(stream);
  }
}
