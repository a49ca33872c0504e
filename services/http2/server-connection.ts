// The server's side of a connection: it takes requests.
import type { Socket } from 'node:net';
import { ConnectionError, ErrorCode, protocolError } from './error-codes.ts';
import type { HeaderBlock } from './header-block.ts';
import type { Limits } from './limits.ts';
import { PrefaceReader } from './preface.ts';
import { Http2Stream } from './stream.ts';
import { StreamConnection } from './stream-frames.ts';
import type { Ticker } from './ticker.ts';
import type { OnStream } from './types.ts';

export class ServerConnection extends StreamConnection {
  readonly role = 'server';
  readonly #onStream: OnStream;
  #preface: PrefaceReader | undefined = new PrefaceReader();
  /** The highest id of a stream that the client has opened, including streams after the last GOAWAY. */
  #lastSeen = 0;

  constructor(socket: Socket, onStream: OnStream, limits: Partial<Limits> = {}, ticker?: Ticker) {
    super(socket, 'server', limits, ticker);
    this.#onStream = onStream;
  }

  protected override readPreface(chunk: Buffer): number {
    if (this.#preface === undefined) return 0;
    const at = this.#preface.read(chunk);
    if (this.#preface.isComplete) {
      this.#preface = undefined;
      // Not before the preface: a client of HTTP/1.1 could not read SETTINGS.
      this.writeSettings();
    }
    return at;
  }

  protected override isUnopened(id: number): boolean {
    return id > this.#lastSeen || id % 2 === 0;
  }

  protected override onHeaderBlock(id: number, block: HeaderBlock, endStream: boolean): void {
    const stream = this.streams.get(id);
    if (stream !== undefined) {
      this.onTrailers(stream, block, endStream);
      return;
    }
    if (id % 2 === 0) throw protocolError(`HEADERS on stream ${id}; a client opens streams with odd ids`);
    if (id <= this.#lastSeen) {
      this.#onLateHeaders(id);
      return;
    }
    this.#lastSeen = id;
    if (this.goawayStep < 2) this.lastPeerStream = id;
    this.budgets.onOpened();
    if (this.goawayStep === 2 || this.streams.size >= this.limits.maxConcurrentStreams) {
      this.streamError(id, ErrorCode.REFUSED_STREAM);
      return;
    }
    if (block.isTooLarge) {
      this.#answerTooLarge(id, endStream);
      return;
    }
    if (block.requestFault !== undefined || (endStream && block.contentLength > 0)) {
      this.streamError(id, ErrorCode.PROTOCOL_ERROR);
      return;
    }
    this.#open(id, block, endStream);
  }

  protected override onLocalEnd(stream: Http2Stream): void {
    stream.isLocalEnded = true;
    // The answer is complete, so the rest of the request is not needed.
    if (!stream.isRemoteEnded) this.writeReset(stream.id, ErrorCode.NO_ERROR);
    this.finish(stream);
  }

  protected override onPeerGoaway(): void {
    // A client's GOAWAY concerns pushed streams only, and there are none.
  }

  #open(id: number, block: HeaderBlock, endStream: boolean): void {
    const stream = new Http2Stream(this, id, this.peer.initialWindow, this.limits.streamWindowBytes);
    stream.hasHeaders = true;
    stream.isRemoteEnded = endStream;
    stream.expectedBytes = block.contentLength;
    this.streams.add(stream);
    stream.handler = this.#onStream(stream, block, endStream);
  }

  /** Headers for a stream that has ended. */
  #onLateHeaders(id: number): void {
    if (!this.resetHere.has(id)) {
      throw new ConnectionError(ErrorCode.STREAM_CLOSED, `HEADERS on stream ${id}, which has ended`);
    }
    this.budgets.ignored.spend();
  }

  #answerTooLarge(id: number, endStream: boolean): void {
    this.budgets.resets.spend();
    this.sender.rawHeaders(id, this.limits.headersTooLargeAnswer, true);
    if (!endStream) this.writeReset(id, ErrorCode.NO_ERROR);
  }
}
