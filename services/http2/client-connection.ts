// The client's side of a connection: it makes requests.
import type { Socket } from 'node:net';
import { ErrorCode, protocolError } from './error-codes.ts';
import { CLIENT_PREFACE, MAX_STREAM_ID } from './frames.ts';
import type { HeaderBlock } from './header-block.ts';
import type { Limits } from './limits.ts';
import { Http2Stream } from './stream.ts';
import { StreamConnection } from './stream-frames.ts';
import type { Ticker } from './ticker.ts';
import type { Stream, StreamHandler } from './types.ts';

export class ClientConnection extends StreamConnection {
  readonly role = 'client';
  onAvailable: (() => void) | undefined = undefined;
  #nextId = 1;
  /** `open` was refused since the last call of `onAvailable`. */
  #wasRefused = false;

  /** The socket may still be connecting. */
  constructor(socket: Socket, limits: Partial<Limits> = {}, ticker?: Ticker) {
    super(socket, 'client', limits, ticker);
    this.output.raw(CLIENT_PREFACE);
    this.writeSettings();
  }

  get availableStreams(): number {
    if (this.isClosed || this.peerGoaway !== undefined || this.goawayStep > 0 || this.#nextId > MAX_STREAM_ID) return 0;
    return Math.max(0, this.peer.maxConcurrentStreams - this.streams.size);
  }

  open(block: Uint8Array, handler: StreamHandler, endStream: boolean): Stream | undefined {
    if (this.availableStreams === 0) {
      this.#wasRefused = true;
      return undefined;
    }
    const stream = new Http2Stream(this, this.#nextId, this.peer.initialWindow, this.limits.streamWindowBytes);
    this.#nextId += 2;
    this.budgets.onOpened();
    stream.handler = handler;
    stream.isLocalEnding = endStream;
    this.streams.add(stream);
    this.writeHeaders(stream, block, endStream);
    return stream;
  }

  protected override readPreface(): number {
    return 0;
  }

  protected override isUnopened(id: number): boolean {
    return id >= this.#nextId || id % 2 === 0;
  }

  protected override onHeaderBlock(id: number, block: HeaderBlock, endStream: boolean): void {
    const stream = this.streams.get(id);
    if (stream === undefined) {
      this.#onLateHeaders(id);
      return;
    }
    if (stream.hasHeaders) {
      this.onTrailers(stream, block, endStream);
      return;
    }
    const isInformational = block.get(':status')?.startsWith('1') === true;
    const isValid = block.responseFault === undefined && !block.isTooLarge && !(isInformational && endStream);
    if (!isValid) {
      this.streamError(id, ErrorCode.PROTOCOL_ERROR);
      return;
    }
    if (isInformational) {
      this.budgets.ignored.spend();
      return;
    }
    stream.hasHeaders = true;
    stream.isRemoteEnded = endStream;
    // A response without a body (to HEAD, or 304) may still give the length of the body of a GET.
    stream.expectedBytes = block.contentLength;
    this.finishIfEnded(stream);
    stream.handler?.onHeaders(block, endStream);
  }

  protected override onLocalEnd(stream: Http2Stream): void {
    stream.isLocalEnded = true;
    this.finishIfEnded(stream);
  }

  /** The server will not answer these streams, so they may be sent again on another connection. */
  protected override onPeerGoaway(lastStreamId: number): void {
    for (const stream of this.streams.all()) {
      if (stream.id > lastStreamId) this.abortStream(stream, ErrorCode.REFUSED_STREAM);
    }
  }

  protected override finish(stream: Http2Stream): void {
    super.finish(stream);
    this.#reportAvailable();
  }

  protected override abortStream(stream: Http2Stream, code: number): void {
    super.abortStream(stream, code);
    this.#reportAvailable();
  }

  protected override onWritable(): void {
    super.onWritable();
    this.#reportAvailable();
  }

  #reportAvailable(): void {
    if (!this.#wasRefused || this.availableStreams === 0) return;
    this.#wasRefused = false;
    this.onAvailable?.();
  }

  /** Headers for a stream that has ended, for example because it was cancelled. */
  #onLateHeaders(id: number): void {
    if (this.isUnopened(id)) throw protocolError(`HEADERS on stream ${id}, which is not open`);
    this.budgets.ignored.spend();
  }
}
