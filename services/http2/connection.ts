// A connection, for both roles: what ends it, time limits, and frames that concern it as a whole. Frames of streams are in
// stream-frames.ts; the roles are in server-connection.ts and client-connection.ts.
import type { Socket } from 'node:net';
import { Budgets } from './budgets.ts';
import { ConnectionError, ErrorCode, errorCodeName, frameSizeError, protocolError } from './error-codes.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';
import { DEFAULT_WINDOW, Flag, FrameType, MAX_STREAM_ID, readUint31, readUint32 } from './frames.ts';
import { Http1Client, http1Response } from './preface.ts';
import { type MemoryBudget, type MemoryHolder, REPORT_STEP_BYTES, sharedMemory } from './memory-budget.ts';
import { completeLimits, type Limits } from './limits.ts';
import { Output } from './output.ts';
import { Pings } from './pings.ts';
import { encodeSettings, PeerSettings } from './settings.ts';
import { sharedTicker, type Ticker } from './ticker.ts';
import type { CloseReason, Connection } from './types.ts';

const NOTHING = new Uint8Array(0);
/** Of the text in a GOAWAY frame. */
const MOST_TEXT_BYTES = 1_024;
/** Seconds that a closed connection has to deliver its last frames. */
const LINGER_SECONDS = 2;
/** Seconds until a graceful end goes on though the peer has not answered the PING. */
const GOAWAY_SECONDS = 5;

export abstract class BaseConnection implements Connection, FrameSink, MemoryHolder {
  readonly socket: Socket;
  memo: unknown = undefined;
  onClosed: ((reason: CloseReason) => void) | undefined = undefined;
  onGoaway: ((code: number, lastStreamId: number, debug: string) => void) | undefined = undefined;
  isClosed = false;
  protected readonly limits: Limits;
  protected readonly budgets: Budgets;
  protected readonly output: Output;
  protected readonly peer = new PeerSettings();
  /** The highest id of a stream that the peer has opened. */
  protected lastPeerStream = 0;
  /** The peer's GOAWAY, if it has sent one. */
  protected peerGoaway: CloseReason | undefined = undefined;
  /** 0: none; 1: the first GOAWAY is sent; 2: the last one, so new streams are ignored. */
  protected goawayStep = 0;
  readonly #role: 'server' | 'client';
  readonly #reader: FrameReader;
  readonly #pings: Pings;
  readonly #ticker: Ticker;
  readonly #memory: MemoryBudget;
  #reportedBytes = 0;
  #hasSettings = false;
  /** A chunk has arrived since the last tick. */
  #hasRead = false;
  // Seconds: since the beginning; without progress in writing; since the peer was last heard; since closing or GOAWAY.
  #age = 0;
  #writeStall = 0;
  #written = 0;
  #silence = 0;
  #ending = 0;
  #isProbing = false;

  constructor(socket: Socket, role: 'server' | 'client', limits: Partial<Limits>, ticker: Ticker = sharedTicker) {
    this.socket = socket;
    this.#role = role;
    this.limits = completeLimits(limits);
    this.budgets = new Budgets(this.limits.budgets);
    this.output = new Output(socket);
    this.#reader = new FrameReader(this);
    this.#pings = new Pings(this.output);
    this.#ticker = ticker;
    this.#memory = this.limits.memory ?? sharedMemory;
    ticker.add(this);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('drain', () => this.#guard(() => this.#onDrain()));
    socket.on('end', () => this.#onEnd('the peer has closed the connection'));
    socket.on('error', (error) => this.#onEnd(`the connection has failed: ${error.message}`));
    socket.on('close', () => this.#onSocketClosed());
  }

  abstract get openStreams(): number;

  get isIdle(): boolean {
    return this.openStreams === 0 && this.output.unwritten === 0;
  }

  get bytesHeld(): number {
    return this.isClosed ? 0 : this.output.unwritten + this.bytesOfStreams;
  }

  ping(onAnswer: (roundTripMs: number | undefined) => void): void {
    if (this.isClosed) onAnswer(undefined);
    else this.#pings.send(onAnswer);
  }

  goaway(): void {
    if (this.isClosed || this.goawayStep > 0) return;
    this.goawayStep = 1;
    this.#writeGoaway(MAX_STREAM_ID, ErrorCode.NO_ERROR, '');
    // What the peer sent before it knew arrives before its answer to this PING.
    this.#pings.send(() => this.#lastGoaway());
  }

  close(code: number = ErrorCode.NO_ERROR, text = '', budget?: string): void {
    if (this.isClosed) return;
    this.#writeGoaway(this.lastPeerStream, code, text);
    this.#end({ code, by: 'here', text, budget });
  }

  /** Once a second. */
  tick(): void {
    this.#guard(() => this.#tick());
  }

  onFrame(type: number, flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    if (!this.#hasSettings && (type !== FrameType.SETTINGS || flags & Flag.ACK)) {
      throw protocolError('the first frame is not SETTINGS');
    }
    if (this.isInHeaderBlock && type !== FrameType.CONTINUATION) {
      throw protocolError('a header block is interrupted by another frame');
    }
    switch (type) {
      case FrameType.SETTINGS: {
        this.#onSettings(flags, id, buffer, start, end);
        return;
      }
      case FrameType.PING: {
        this.#onPing(flags, id, buffer, start, end);
        return;
      }
      case FrameType.GOAWAY: {
        this.#onGoaway(id, buffer, start, end);
        return;
      }
      default: {
        this.onStreamFrame(type, flags, id, buffer, start, end);
        return;
      }
    }
  }

  /** Received but not consumed, or waiting in streams. */
  protected abstract get bytesOfStreams(): number;
  /** A HEADERS frame without END_HEADERS was the last of its stream. */
  protected abstract get isInHeaderBlock(): boolean;
  protected abstract onStreamFrame(
    type: number,
    flags: number,
    id: number,
    buffer: Buffer,
    start: number,
    end: number,
  ): void;
  /** The peer takes as much more of every stream. */
  protected abstract onInitialWindow(change: number): void;
  protected abstract onPeerGoaway(lastStreamId: number): void;
  /** Ends every stream that is open with `onReset(code)`. */
  protected abstract abortStreams(code: number): void;
  protected abstract tickStreams(): void;
  protected abstract onWritable(): void;
  /** Returns where the frames begin in a chunk. */
  protected abstract readPreface(chunk: Buffer): number;

  /** The first frames of this side. */
  protected writeSettings(): void {
    const { limits, output } = this;
    output.frame(FrameType.SETTINGS, 0, 0, encodeSettings(limits, this.#role), NOTHING);
    const more = limits.connectionWindowBytes - DEFAULT_WINDOW;
    if (more > 0) output.frameOfNumber(FrameType.WINDOW_UPDATE, 0, more);
  }

  /** To be called when a stream has ended: after GOAWAY the last one ends the connection. */
  protected closeIfDone(): void {
    if (this.openStreams > 0 || this.isClosed) return;
    if (this.peerGoaway !== undefined) {
      this.#writeGoaway(this.lastPeerStream, ErrorCode.NO_ERROR, '');
      this.#end(this.peerGoaway);
    } else if (this.goawayStep === 2) {
      this.#end({ code: ErrorCode.NO_ERROR, by: 'here', text: 'graceful end', budget: undefined });
    }
  }

  /** To be called when memory may have grown. */
  protected reportMemory(): void {
    const bytes = this.bytesHeld;
    if (Math.abs(bytes - this.#reportedBytes) < REPORT_STEP_BYTES || this.isClosed) return;
    this.#reportedBytes = bytes;
    this.#memory.report(this);
  }

  #onData(chunk: Buffer): void {
    if (this.isClosed) return;
    this.#hasRead = true;
    this.output.hold();
    try {
      this.#reader.read(chunk, this.readPreface(chunk));
    } catch (error) {
      this.#fail(error);
    } finally {
      this.output.release();
    }
    this.reportMemory();
    if (this.output.pending > this.limits.maxUnreadBytes) this.#closeForUnread();
  }

  #onSettings(flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    if (id !== 0) throw protocolError('SETTINGS on a stream');
    this.budgets.settings.spend();
    if (flags & Flag.ACK) {
      if (end > start) throw frameSizeError('a SETTINGS acknowledgement has a payload');
      return;
    }
    const before = this.peer.initialWindow;
    this.peer.read(buffer, start, end, this.#role === 'client');
    this.#hasSettings = true;
    if (this.peer.initialWindow !== before) this.onInitialWindow(this.peer.initialWindow - before);
    this.output.frame(FrameType.SETTINGS, Flag.ACK, 0, NOTHING, NOTHING);
    this.onWritable();
  }

  #onPing(flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    if (id !== 0) throw protocolError('PING on a stream');
    if (end - start !== 8) throw frameSizeError(`PING has ${end - start} bytes instead of 8`);
    const payload = buffer.subarray(start, end);
    if (flags & Flag.ACK) {
      this.#pings.onAck(payload);
      return;
    }
    this.budgets.pings.spend();
    this.output.frame(FrameType.PING, Flag.ACK, 0, payload, NOTHING);
  }

  #onGoaway(id: number, buffer: Buffer, start: number, end: number): void {
    if (id !== 0) throw protocolError('GOAWAY on a stream');
    if (end - start < 8) throw frameSizeError(`GOAWAY has ${end - start} bytes; at least 8 are needed`);
    this.budgets.settings.spend();
    const lastStreamId = readUint31(buffer, start);
    const code = readUint32(buffer, start + 4);
    const debug = buffer.toString('latin1', start + 8, Math.min(end, start + 8 + MOST_TEXT_BYTES));
    const text = debug === '' ? `the peer has sent GOAWAY with ${errorCodeName(code)}` : debug;
    this.peerGoaway = { code, by: 'peer', text, budget: undefined };
    this.onPeerGoaway(lastStreamId);
    this.onGoaway?.(code, lastStreamId, debug);
    this.closeIfDone();
  }

  #tick(): void {
    if (this.isClosed) {
      if (this.#ending++ >= LINGER_SECONDS) this.socket.destroy();
      return;
    }
    this.budgets.refill();
    this.#age++;
    if (!this.#hasSettings && this.#age > this.limits.prefaceSeconds) {
      throw new ConnectionError(
        ErrorCode.SETTINGS_TIMEOUT,
        `no preface and SETTINGS within ${this.limits.prefaceSeconds} seconds`,
        'preface',
      );
    }
    this.tickStreams();
    this.#tickWriting();
    this.#tickKeepalive();
    if (this.goawayStep === 1 && this.#ending++ >= GOAWAY_SECONDS) this.#lastGoaway();
    this.reportMemory();
  }

  #tickWriting(): void {
    const { unwritten } = this.output;
    const written = this.socket.bytesWritten - this.socket.writableLength;
    if (unwritten === 0 || written !== this.#written) this.#writeStall = 0;
    else if (this.#writeStall++ >= this.limits.stallSeconds) this.#closeForUnread();
    this.#written = written;
  }

  #tickKeepalive(): void {
    const { keepaliveSeconds, keepaliveTimeoutSeconds, keepaliveWithoutStreams } = this.limits;
    if (this.#hasRead || keepaliveSeconds === 0) {
      this.#hasRead = false;
      this.#silence = 0;
      this.#isProbing = false;
      return;
    }
    this.#silence++;
    if (this.#silence < keepaliveSeconds) return;
    if (!this.#isProbing && (keepaliveWithoutStreams || this.openStreams > 0)) {
      this.#isProbing = true;
      this.#silence = keepaliveSeconds;
      this.#pings.send(() => undefined);
    } else if (this.#isProbing && this.#silence >= keepaliveSeconds + keepaliveTimeoutSeconds) {
      const text = `the peer has not answered a PING within ${keepaliveTimeoutSeconds} seconds`;
      this.#destroy(ErrorCode.CONNECT_ERROR, text, 'keepalive');
    }
  }

  #closeForUnread(): void {
    this.#destroy(ErrorCode.ENHANCE_YOUR_CALM, 'the peer does not read what is sent to it', 'unread answers');
  }

  /** Ends at once: the peer cannot be told, since it does not read. */
  #destroy(code: number, text: string, budget: string): void {
    this.#end({ code, by: 'here', text, budget });
    this.socket.destroy();
  }

  #lastGoaway(): void {
    if (this.isClosed || this.goawayStep !== 1) return;
    this.goawayStep = 2;
    this.#ending = 0;
    this.#writeGoaway(this.lastPeerStream, ErrorCode.NO_ERROR, '');
    this.closeIfDone();
  }

  #writeGoaway(lastStreamId: number, code: number, text: string): void {
    const prefix = Buffer.alloc(8);
    prefix.writeUInt32BE(lastStreamId, 0);
    prefix.writeUInt32BE(code, 4);
    this.output.frame(FrameType.GOAWAY, 0, 0, Buffer.from(text).subarray(0, MOST_TEXT_BYTES), prefix);
  }

  #onEnd(text: string): void {
    this.#end(this.peerGoaway ?? { code: ErrorCode.NO_ERROR, by: 'peer', text, budget: undefined });
  }

  /** Every way to end comes here, once. */
  #end(reason: CloseReason): void {
    if (this.isClosed) return;
    this.output.flush();
    this.isClosed = true;
    this.#ending = 0;
    this.#memory.remove(this);
    this.socket.end();
    const isOrderly = reason.by === 'here' && reason.code !== ErrorCode.NO_ERROR;
    this.abortStreams(isOrderly ? reason.code : ErrorCode.CONNECT_ERROR);
    this.#pings.close();
    this.onClosed?.(reason);
  }

  #onSocketClosed(): void {
    this.#onEnd('the peer has closed the connection');
    this.#ticker.remove(this);
    this.#reader.release();
    this.output.dispose();
  }

  #onDrain(): void {
    this.output.resume();
    this.onWritable();
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Whatever was thrown ends this connection only. */
  #fail(error: unknown): void {
    if (error instanceof ConnectionError) {
      this.close(error.code, error.message, error.budget);
      return;
    }
    if (error instanceof Http1Client) {
      if (!this.isClosed) this.socket.write(http1Response(this.limits.http1Answer));
      this.#end({ code: ErrorCode.HTTP_1_1_REQUIRED, by: 'peer', text: error.message, budget: undefined });
      return;
    }
    this.close(ErrorCode.INTERNAL_ERROR, `a handler has thrown: ${String(error)}`);
  }
}
