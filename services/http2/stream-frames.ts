// Frames of streams, for both roles: DATA, HEADERS, CONTINUATION, PRIORITY, RST_STREAM, WINDOW_UPDATE (RFC 9113, section 6).
import type { Socket } from 'node:net';
import { ClosedStreams } from './closed-streams.ts';
import { BaseConnection } from './connection.ts';
import { ConnectionError, ErrorCode, frameSizeError, protocolError } from './error-codes.ts';
import { ReceiveWindow } from './flow-window.ts';
import { Flag, FrameType, readUint31, readUint32 } from './frames.ts';
import { HeaderAssembly } from './header-assembly.ts';
import type { HeaderBlock } from './header-block.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import type { Limits } from './limits.ts';
import { Sender } from './sender.ts';
import type { Http2Stream, StreamOwner } from './stream.ts';
import { StreamTable } from './stream-table.ts';
import type { Ticker } from './ticker.ts';
import type { StreamHandler } from './types.ts';

/** A compressed block is usually smaller than its list. A block larger than this is not read. */
const BLOCK_PER_LIST_BYTES = 4;

/** Of streams that this side has reset. */
const FEWEST_REMEMBERED = 256;

export abstract class StreamConnection extends BaseConnection implements StreamOwner {
  protected readonly streams = new StreamTable();
  protected readonly sender: Sender;
  /** Streams that this side has reset lately. */
  protected readonly resetHere: ClosedStreams;
  readonly #decoder: HpackDecoder;
  readonly #assembly: HeaderAssembly;
  readonly #window: ReceiveWindow;

  constructor(socket: Socket, role: 'server' | 'client', limits: Partial<Limits>, ticker?: Ticker) {
    super(socket, role, limits, ticker);
    const { maxHeaderListBytes, connectionWindowBytes } = this.limits;
    this.sender = new Sender(this.output, this.budgets, (stream) => this.onLocalEnd(stream));
    this.resetHere = new ClosedStreams(Math.max(this.limits.maxConcurrentStreams, FEWEST_REMEMBERED));
    this.#decoder = new HpackDecoder(maxHeaderListBytes);
    this.#assembly = new HeaderAssembly(maxHeaderListBytes * BLOCK_PER_LIST_BYTES);
    this.#window = new ReceiveWindow(connectionWindowBytes);
  }

  get openStreams(): number {
    return this.streams.size;
  }

  handlers(): readonly StreamHandler[] {
    return this.streams.all().flatMap(({ handler }) => handler ?? []);
  }

  writeHeaders(stream: Http2Stream, block: Uint8Array, endStream: boolean): void {
    this.sender.headers(stream, block, endStream);
  }

  writeData(stream: Http2Stream, bytes: Uint8Array, endStream: boolean, prefix: Uint8Array): boolean {
    return this.sender.data(stream, bytes, endStream, prefix);
  }

  onQueued(stream: Http2Stream, bytes: number): void {
    this.sender.enqueued(stream, bytes);
    if (stream.queue !== undefined && this.sender.queuedBytes > this.limits.maxQueuedBytes) this.#endUnread(stream);
    this.reportMemory();
  }

  /** Called when the layer above ends a stream. */
  resetStream(stream: Http2Stream, code: number): void {
    if (!stream.isOpen) return;
    stream.handler = undefined;
    this.writeReset(stream.id, code);
    this.finish(stream);
  }

  consume(stream: Http2Stream, bytes: number): void {
    if (!stream.isOpen) return;
    const held = Math.min(bytes, stream.receiveWindow.held);
    this.#credit(held);
    const increment = stream.receiveWindow.consume(held);
    if (increment > 0 && !stream.isRemoteEnded) {
      this.output.frameOfNumber(FrameType.WINDOW_UPDATE, stream.id, increment);
    }
  }

  protected override get bytesOfStreams(): number {
    return this.#window.held + this.sender.queuedBytes + this.#decoder.bytes + this.#assembly.bytes;
  }

  protected override get isInHeaderBlock(): boolean {
    return this.#assembly.id !== 0;
  }

  /** A whole header block of a stream. Throws ConnectionError. */
  protected abstract onHeaderBlock(id: number, block: HeaderBlock, endStream: boolean): void;
  /** This side has written END_STREAM. */
  protected abstract onLocalEnd(stream: Http2Stream): void;
  /** True if the stream was never opened. */
  protected abstract isUnopened(id: number): boolean;

  protected override onStreamFrame(
    type: number,
    flags: number,
    id: number,
    buffer: Buffer,
    start: number,
    end: number,
  ): void {
    switch (type) {
      case FrameType.DATA: {
        this.#onData(flags, id, buffer, start, end);
        return;
      }
      case FrameType.HEADERS: {
        this.#onHeaders(flags, id, buffer, start, end);
        return;
      }
      case FrameType.CONTINUATION: {
        this.#onContinuation(flags, id, buffer, start, end);
        return;
      }
      case FrameType.RST_STREAM: {
        this.#onReset(id, buffer, start, end);
        return;
      }
      case FrameType.WINDOW_UPDATE: {
        this.#onWindowUpdate(id, buffer, start, end);
        return;
      }
      case FrameType.PRIORITY: {
        this.#onPriority(id, buffer, start, end);
        return;
      }
      case FrameType.PUSH_PROMISE:
        throw protocolError('PUSH_PROMISE is not allowed here');
      default:
        this.budgets.ignored.spend();
    }
  }

  protected override onInitialWindow(change: number): void {
    for (const stream of this.streams.all()) {
      if (this.sender.enlargeStream(stream, change)) continue;
      throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, 'SETTINGS_INITIAL_WINDOW_SIZE makes a window too large');
    }
  }

  protected override abortStreams(code: number): void {
    const thrown: unknown[] = [];
    for (const stream of this.streams.all()) {
      this.streams.delete(stream.id);
      try {
        this.#abort(stream, code);
      } catch (error) {
        thrown.push(error);
      }
    }
    // Every stream is reset before an error of one of them is thrown.
    if (thrown.length > 0) throw thrown[0];
  }

  protected override tickStreams(): void {
    const { headerSeconds, stallSeconds } = this.limits;
    if (this.isInHeaderBlock && this.#assembly.seconds++ >= headerSeconds) {
      const text = `a header block was not completed within ${headerSeconds} seconds`;
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, text, 'half headers');
    }
    if (this.sender.queuedBytes === 0) return;
    for (const stream of this.streams.all()) {
      if (stream.queue !== undefined && stream.queue.tick() >= stallSeconds) this.#endUnread(stream);
    }
  }

  protected override onWritable(): void {
    this.sender.pump();
  }

  protected writeReset(id: number, code: number): void {
    this.resetHere.add(id);
    this.output.frameOfNumber(FrameType.RST_STREAM, id, code);
  }

  /** Resets a stream on which the peer has broken a rule. Throws ENHANCE_YOUR_CALM after too many of them. */
  protected streamError(id: number, code: number): void {
    this.budgets.resets.spend();
    this.writeReset(id, code);
    const stream = this.streams.get(id);
    if (stream !== undefined) this.abortStream(stream, code);
  }

  /** Ends a stream early: calls `onReset` of its handler. */
  protected abortStream(stream: Http2Stream, code: number): void {
    this.#remove(stream);
    this.#abort(stream, code);
    this.closeIfDone();
  }

  /** Ends a stream after both sides have ended it, or the layer above has reset it. */
  protected finish(stream: Http2Stream): void {
    this.#remove(stream);
    stream.isOpen = false;
    this.closeIfDone();
  }

  /** Handles trailers of an open stream. */
  protected onTrailers(stream: Http2Stream, block: HeaderBlock, endStream: boolean): void {
    if (stream.isRemoteEnded) {
      this.streamError(stream.id, ErrorCode.STREAM_CLOSED);
      return;
    }
    const isValid = endStream && block.trailersFault === undefined && !block.isTooLarge && stream.expectedBytes <= 0;
    if (!isValid) {
      this.streamError(stream.id, ErrorCode.PROTOCOL_ERROR);
      return;
    }
    stream.isRemoteEnded = true;
    this.finishIfEnded(stream);
    stream.handler?.onTrailers(block);
  }

  protected finishIfEnded(stream: Http2Stream): void {
    if (stream.isRemoteEnded && stream.isLocalEnded && stream.isOpen) this.finish(stream);
  }

  #onData(flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    const stream = this.streams.get(id);
    if (stream === undefined) this.#checkOpened(id, 'DATA');
    const length = end - start;
    if (!this.#window.receive(length)) {
      throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, 'DATA exceeds the window of the connection');
    }
    const endStream = (flags & Flag.END_STREAM) !== 0;
    let from = start;
    let to = end;
    if (flags & Flag.PADDED) {
      from = start + 1;
      to = end - paddingAt(buffer, start, end);
      if (to < from) throw protocolError('the padding of DATA is longer than the frame');
    }
    if (to === from && !endStream) this.budgets.emptyData.spend();
    if (stream === undefined) {
      this.#onLateData(id, length);
      return;
    }
    if (stream.isRemoteEnded || !stream.hasHeaders) {
      this.#credit(length);
      this.streamError(id, stream.isRemoteEnded ? ErrorCode.STREAM_CLOSED : ErrorCode.PROTOCOL_ERROR);
      return;
    }
    this.#deliver(stream, length, buffer, from, to, endStream);
  }

  #deliver(stream: Http2Stream, length: number, buffer: Buffer, from: number, to: number, endStream: boolean): void {
    const bytes = to - from;
    if (!stream.receiveWindow.receive(length)) {
      this.streamError(stream.id, ErrorCode.FLOW_CONTROL_ERROR);
      return;
    }
    if (stream.expectedBytes >= 0) {
      stream.expectedBytes -= bytes;
      if (stream.expectedBytes < 0 || (endStream && stream.expectedBytes > 0)) {
        this.streamError(stream.id, ErrorCode.PROTOCOL_ERROR);
        return;
      }
    }
    stream.isRemoteEnded = endStream;
    if (length > bytes) this.consume(stream, length - bytes);
    if (endStream) this.finishIfEnded(stream);
    stream.handler?.onData(buffer.subarray(from, to), endStream);
  }

  /** Handles DATA for an ended stream. Nobody consumes it, so its part of the window is returned at once. */
  #onLateData(id: number, length: number): void {
    this.#credit(length);
    this.pacer?.discarded(length);
    if (!this.resetHere.has(id)) this.streamError(id, ErrorCode.STREAM_CLOSED);
  }

  #onHeaders(flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    if (id === 0) throw protocolError('HEADERS without a stream');
    let from = start;
    let to = end;
    if (flags & Flag.PADDED) {
      from = start + 1;
      to = end - paddingAt(buffer, start, end);
    }
    if (flags & Flag.PRIORITY) {
      if (from + 5 > end) throw frameSizeError('HEADERS is too short for its priority');
      if (readUint31(buffer, from) === id) throw protocolError('a stream depends on itself');
      from += 5;
    }
    if (to < from) throw protocolError('the padding of HEADERS is longer than the frame');
    const endStream = (flags & Flag.END_STREAM) !== 0;
    if (flags & Flag.END_HEADERS) {
      this.onHeaderBlock(id, this.#decoder.decode(buffer, from, to), endStream);
      return;
    }
    this.#assembly.begin(id, endStream);
    this.#assembly.add(buffer, from, to);
  }

  #onContinuation(flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    const assembly = this.#assembly;
    if (assembly.id === 0 || assembly.id !== id)
      throw protocolError('CONTINUATION without a header block of its stream');
    assembly.add(buffer, start, end);
    if ((flags & Flag.END_HEADERS) === 0) return;
    const block = assembly.complete();
    this.onHeaderBlock(id, this.#decoder.decode(block, 0, block.length), assembly.endStream);
  }

  #onReset(id: number, buffer: Buffer, start: number, end: number): void {
    if (end - start !== 4) throw frameSizeError(`RST_STREAM has ${end - start} bytes instead of 4`);
    const stream = this.streams.get(id);
    if (stream === undefined) {
      this.#checkOpened(id, 'RST_STREAM');
      this.budgets.ignored.spend();
      return;
    }
    this.budgets.resets.spend();
    const code = readUint32(buffer, start);
    // The peer has answered, and needs no more of the request.
    if (code === ErrorCode.NO_ERROR && stream.isRemoteEnded) this.finish(stream);
    else this.abortStream(stream, code);
  }

  #onWindowUpdate(id: number, buffer: Buffer, start: number, end: number): void {
    if (end - start !== 4) throw frameSizeError(`WINDOW_UPDATE has ${end - start} bytes instead of 4`);
    this.budgets.windowUpdates.spend();
    const increment = readUint31(buffer, start);
    if (id === 0) {
      if (increment === 0) throw protocolError('WINDOW_UPDATE with the increment 0');
      this.sender.enlarge(increment);
      return;
    }
    const stream = this.streams.get(id);
    if (stream === undefined) {
      this.#checkOpened(id, 'WINDOW_UPDATE');
      return;
    }
    if (increment === 0) {
      this.streamError(id, ErrorCode.PROTOCOL_ERROR);
      return;
    }
    if (!this.sender.enlargeStream(stream, increment)) {
      this.streamError(id, ErrorCode.FLOW_CONTROL_ERROR);
      return;
    }
    this.sender.pump();
  }

  #onPriority(id: number, buffer: Buffer, start: number, end: number): void {
    if (id === 0) throw protocolError('PRIORITY without a stream');
    this.budgets.ignored.spend();
    if (end - start !== 5) throw frameSizeError(`PRIORITY has ${end - start} bytes instead of 5`);
    if (readUint31(buffer, start) === id) throw protocolError('a stream depends on itself');
  }

  #checkOpened(id: number, frame: string): void {
    if (id === 0 || this.isUnopened(id)) throw protocolError(`${frame} on stream ${id}, which is not open`);
  }

  /** Resets a stream with too much waiting data, or whose peer does not read it. */
  #endUnread(stream: Http2Stream): void {
    this.writeReset(stream.id, ErrorCode.ENHANCE_YOUR_CALM);
    this.abortStream(stream, ErrorCode.ENHANCE_YOUR_CALM);
  }

  #abort(stream: Http2Stream, code: number): void {
    stream.isOpen = false;
    this.sender.drop(stream);
    stream.abort(code);
  }

  #remove(stream: Http2Stream): void {
    this.streams.delete(stream.id);
    this.sender.drop(stream);
    // Unconsumed data of this stream must not block other streams.
    const { held } = stream.receiveWindow;
    if (held > 0) this.#credit(held);
  }

  #credit(bytes: number): void {
    const increment = this.#window.consume(bytes);
    if (increment > 0) this.output.frameOfNumber(FrameType.WINDOW_UPDATE, 0, increment);
  }
}

/** Returns the length of the padding at the end of a frame. */
function paddingAt(buffer: Buffer, start: number, end: number): number {
  if (start >= end) throw frameSizeError('a padded frame has no padding length');
  return buffer[start]!;
}
