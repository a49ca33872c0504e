// A connection, for both roles: its end, its time limits, and the frames of the connection as a whole. stream-frames.ts
// has the frames of streams; server-connection.ts and client-connection.ts have the roles.
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
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
import { ReadControl } from './read-control.ts';
import { type TurnTaker, sharedTurns } from './read-turns.ts';
import { readChunks } from './shared-read.ts';
import { sharedTicker, type Ticker } from './ticker.ts';
import { type Overdue, TimeLimits, UNREAD } from './time-limits.ts';
import type { CloseReason, Connection, Pacer, StreamHandler } from './types.ts';

const NOTHING = new Uint8Array(0);
/** Of the text in a GOAWAY frame. */
const MOST_TEXT_BYTES = 1_024;
/** Seconds until a closed connection is destroyed, if its peer does not close it. */
const LINGER_SECONDS = 2;
/** Seconds that a graceful end waits for the answer to its PING. */
const GOAWAY_SECONDS = 5;

export abstract class BaseConnection implements Connection, FrameSink, MemoryHolder, TurnTaker {
  readonly socket: Socket;
  memo: unknown = undefined;
  owner: unknown;
  pacer: Pacer | undefined = undefined;
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
  /** 0: no GOAWAY was sent; 1: the first was sent; 2: the last was sent, so new streams are ignored. */
  protected goawayStep = 0;
  readonly #role: 'server' | 'client';
  readonly #reader: FrameReader;
  readonly #pings: Pings;
  readonly #time: TimeLimits;
  readonly #ticker: Ticker;
  readonly #memory: MemoryBudget;
  readonly #reading: ReadControl;
  #reportedBytes = 0;
  /** Seconds since the end, or since the first GOAWAY. */
  #ending = 0;
  /**
   * Seconds that a closed connection has for writing its remaining output. After an end without an error:
   * `stallSeconds`, if that is longer.
   */
  #lingerSeconds = LINGER_SECONDS;
  #hasWrittenSettings = false;

  constructor(socket: Socket, role: 'server' | 'client', limits: Partial<Limits>, ticker: Ticker = sharedTicker) {
    this.socket = socket;
    this.#role = role;
    this.limits = completeLimits(limits, role);
    this.budgets = new Budgets(this.limits.budgets, role);
    this.output = new Output(socket);
    this.#reader = new FrameReader(this);
    this.#pings = new Pings(this.output);
    this.#time = new TimeLimits(this.limits, this.output, this.#pings);
    this.#ticker = ticker;
    this.#memory = this.limits.memory ?? sharedMemory;
    const turns = role === 'client' ? undefined : (this.limits.turns ?? sharedTurns);
    this.#reading = new ReadControl(socket, this, turns);
    this.owner = socket.remoteAddress;
    ticker.add(this);
    socket.setNoDelay(true);
    // RFC 9113, section 9.2.1: TLS must not be renegotiated.
    if (socket instanceof TLSSocket) socket.disableRenegotiation();
    socket.on('drain', () => this.#guard(() => this.#onDrain()));
    socket.on('end', () => this.#onEnd('the peer has closed the connection'));
    socket.on('error', (error) => this.#onEnd(`the connection has failed: ${error.message}`));
    socket.on('close', () => this.#onSocketClosed());
    readChunks(socket, (chunk) => this.#onData(chunk));
  }

  abstract get openStreams(): number;
  abstract handlers(): readonly StreamHandler[];

  get isIdle(): boolean {
    return this.openStreams === 0 && this.output.unwritten === 0;
  }

  get bytesHeld(): number {
    if (this.isClosed) return 0;
    return this.output.unwritten + this.bytesOfStreams + this.#reading.storedBytes;
  }

  get restsUntilMs(): number {
    return this.pacer?.restsUntilMs ?? 0;
  }

  get mustWait(): boolean {
    return this.#reading.mustWait;
  }

  /** Called when it is this connection's turn to read. */
  readOn(): void {
    const { chunk, at } = this.#reading.takeStored();
    if (this.#read(chunk, at)) this.#reading.resume();
  }

  ping(onAnswer: (roundTripMs: number | undefined) => void): void {
    if (this.isClosed) onAnswer(undefined);
    else this.#pings.send(onAnswer);
  }

  goaway(): void {
    if (this.isClosed || this.goawayStep > 0) return;
    this.goawayStep = 1;
    this.#writeGoaway(MAX_STREAM_ID, ErrorCode.NO_ERROR, '');
    // Frames that the peer sent before it read the GOAWAY arrive before its answer to this PING.
    this.#pings.send(() => this.#lastGoaway());
  }

  close(code: number = ErrorCode.NO_ERROR, text = '', budget?: string): void {
    if (this.isClosed) return;
    this.#writeGoaway(this.lastPeerStream, code, text);
    this.#end({ code, by: 'here', text, budget });
  }

  /** Called once a second. */
  tick(seconds: number): void {
    this.#guard(() => this.#tick(seconds));
  }

  onFrame(type: number, flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    if (!this.#time.hasSettings && (type !== FrameType.SETTINGS || flags & Flag.ACK)) {
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

  /** Bytes that were received but not consumed, or that wait in streams. */
  protected abstract get bytesOfStreams(): number;
  /** True after a HEADERS frame without END_HEADERS, until the block is complete. */
  protected abstract get isInHeaderBlock(): boolean;
  protected abstract onStreamFrame(
    type: number,
    flags: number,
    id: number,
    buffer: Buffer,
    start: number,
    end: number,
  ): void;
  /** The peer has changed the send window of every stream by `change`. */
  protected abstract onInitialWindow(change: number): void;
  protected abstract onPeerGoaway(lastStreamId: number): void;
  /** Ends every stream that is open with `onReset(code)`. */
  protected abstract abortStreams(code: number): void;
  protected abstract tickStreams(): void;
  protected abstract onWritable(): void;
  /** Returns the index in the chunk at which the frames begin. */
  protected abstract readPreface(chunk: Buffer): number;

  /** Writes the first frames of this side, once. */
  protected writeSettings(): void {
    if (this.#hasWrittenSettings) return;
    this.#hasWrittenSettings = true;
    const { limits, output } = this;
    output.frame(FrameType.SETTINGS, 0, 0, encodeSettings(limits, this.#role), NOTHING);
    const more = limits.connectionWindowBytes - DEFAULT_WINDOW;
    if (more > 0) output.frameOfNumber(FrameType.WINDOW_UPDATE, 0, more);
  }

  /** Call this when a stream has ended: after GOAWAY, the last stream ends the connection. */
  protected closeIfDone(): void {
    if (this.openStreams > 0 || this.isClosed) return;
    if (this.peerGoaway !== undefined) {
      this.#writeGoaway(this.lastPeerStream, ErrorCode.NO_ERROR, '');
      this.#end(this.peerGoaway);
    } else if (this.goawayStep === 2) {
      this.#end({ code: ErrorCode.NO_ERROR, by: 'here', text: 'graceful end', budget: undefined });
    }
  }

  /** Call this when memory may have grown. */
  protected reportMemory(): void {
    const bytes = this.bytesHeld;
    if (Math.abs(bytes - this.#reportedBytes) < REPORT_STEP_BYTES || this.isClosed) return;
    this.#reportedBytes = bytes;
    this.#memory.report(this);
  }

  #onData(chunk: Buffer): void {
    this.#time.hasRead = true;
    if (this.isClosed || this.#reading.mayRead(chunk)) this.#read(chunk, -1);
  }

  /** `at`: the index to continue at; below 0 for a new chunk. Returns false if the rest waits for the next turn. */
  #read(chunk: Buffer, at: number): boolean {
    if (this.isClosed) {
      this.#reading.discard(chunk);
      return true;
    }
    let readTo = chunk.length;
    this.output.hold();
    try {
      readTo = this.#reader.read(chunk, at < 0 ? this.readPreface(chunk) : at);
      if (readTo < chunk.length) this.#reading.postpone(chunk, readTo);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.output.release();
    }
    this.reportMemory();
    if (this.output.pending > this.limits.maxUnreadBytes) this.#onOverdue(UNREAD);
    const isRead = readTo === chunk.length;
    if (isRead) this.#reading.count(chunk.length);
    return isRead;
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
    this.#time.hasSettings = true;
    if (this.peer.initialWindow !== before) this.onInitialWindow(this.peer.initialWindow - before);
    this.output.frame(FrameType.SETTINGS, Flag.ACK, 0, NOTHING, NOTHING);
    this.onWritable();
  }

  #onPing(flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    if (id !== 0) throw protocolError('PING on a stream');
    if (end - start !== 8) throw frameSizeError(`PING has ${end - start} bytes instead of 8`);
    this.budgets.pings.spend();
    const payload = buffer.subarray(start, end);
    if (flags & Flag.ACK) {
      this.#pings.onAck(payload);
      return;
    }
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

  #tick(seconds: number): void {
    if (this.isClosed) {
      const seconds = this.output.unwritten > 0 ? this.#lingerSeconds : LINGER_SECONDS;
      if (this.#ending++ >= seconds) this.socket.destroy();
      return;
    }
    this.budgets.refill(seconds);
    const overdue = this.#time.tick(this.openStreams);
    if (overdue !== undefined) {
      this.#onOverdue(overdue);
      return;
    }
    this.tickStreams();
    if (this.goawayStep === 1 && this.#ending++ >= GOAWAY_SECONDS) this.#lastGoaway();
    this.reportMemory();
  }

  /** The peer has exceeded a time limit. */
  #onOverdue({ code, text, budget, isUnreachable }: Overdue): void {
    if (!isUnreachable) {
      this.close(code, text, budget);
      return;
    }
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
    // The first frame is always SETTINGS, even if the client has not begun.
    this.writeSettings();
    const prefix = Buffer.alloc(8);
    prefix.writeUInt32BE(lastStreamId, 0);
    prefix.writeUInt32BE(code, 4);
    this.output.frame(FrameType.GOAWAY, 0, 0, Buffer.from(text).subarray(0, MOST_TEXT_BYTES), prefix);
  }

  #onEnd(text: string): void {
    this.#end(this.peerGoaway ?? { code: ErrorCode.NO_ERROR, by: 'peer', text, budget: undefined });
  }

  /** The only place where a connection ends. */
  #end(reason: CloseReason): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.output.end();
    this.#memory.remove(this);
    this.#ending = 0;
    const isError = reason.code !== ErrorCode.NO_ERROR;
    this.#lingerSeconds = isError ? LINGER_SECONDS : Math.max(LINGER_SECONDS, this.limits.stallSeconds);
    let { text } = reason;
    try {
      this.abortStreams(isError && reason.by === 'here' ? reason.code : ErrorCode.CONNECT_ERROR);
      this.#pings.close();
    } catch (error) {
      text += `; ${thrownText(error)}`;
    }
    this.onClosed?.({ ...reason, text });
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

  /** An error that is thrown here ends this connection only. */
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
    this.close(ErrorCode.INTERNAL_ERROR, thrownText(error));
  }
}

function thrownText(error: unknown): string {
  return `a handler has thrown: ${String(error)}`;
}
