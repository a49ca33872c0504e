// The output of a connection. Frames are collected in a buffer. They go to the socket in one write, after the running
// code and its promise callbacks. (Waiting for the end of the turn of the event loop saves few writes, and delays a
// single call.)
//
// A buffer may be used again when the socket has written all of it. Usually that is at once: the kernel accepts the
// data.
import type { Socket } from 'node:net';
import { FRAME_HEADER_BYTES } from './frames.ts';
import { frameBuffers } from './buffer-pool.ts';

/** Up to this length a loop is faster than a call of `set`. */
const COPIED_BY_LOOP = 48;

/** With this much data, `relieve` writes. */
const WRITE_AT_BYTES = 65_536;

export class Output {
  /** True while the socket's buffer is full: until `resume`. */
  isBlocked = false;
  /** Bytes that were added and not yet passed to the socket. */
  pending = 0;
  readonly #socket: Socket;
  readonly #flush: () => void;
  #buffer: Buffer | undefined = undefined;
  /** #buffer[#from, #position) is not yet passed to the socket. */
  #from = 0;
  #position = 0;
  /** Pieces before those in #buffer. */
  #pieces: Uint8Array[] = [];
  /** Full buffers that #pieces refers to. */
  #full: Buffer[] = [];
  /** Full buffers that the socket refers to, until it has written all. */
  #given: Buffer[] = [];
  #isScheduled = false;
  #isHeld = false;
  #isEnded = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#flush = () => this.flush();
  }

  /** Bytes that the kernel has not yet accepted. */
  get unwritten(): number {
    return this.pending + this.#socket.writableLength;
  }

  /** Bytes that the kernel has accepted. */
  get written(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  /** While output is held, nothing needs to be scheduled: `release` writes it. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.flush();
  }

  /**
   * Adds a frame. `prefix` goes before `payload`, and is at most 64 bytes long. Both are copied: a buffer for each long
   * message would be memory outside the heap, and much of that causes full garbage collections.
   */
  frame(type: number, flags: number, id: number, payload: Uint8Array, prefix: Uint8Array): void {
    const prefixBytes = prefix.length;
    const payloadBytes = payload.length;
    const at = this.#reserve(FRAME_HEADER_BYTES + prefixBytes + payloadBytes);
    const buffer = this.#buffer!;
    writeHeader(buffer, at, prefixBytes + payloadBytes, type, flags, id);
    if (prefixBytes > 0) copySmall(prefix, buffer, at + FRAME_HEADER_BYTES);
    if (payloadBytes <= COPIED_BY_LOOP) copySmall(payload, buffer, at + FRAME_HEADER_BYTES + prefixBytes);
    else buffer.set(payload, at + FRAME_HEADER_BYTES + prefixBytes);
  }

  /** Adds a frame whose payload is one number of 32 bits. */
  frameOfNumber(type: number, id: number, value: number): void {
    const at = this.#reserve(FRAME_HEADER_BYTES + 4);
    const buffer = this.#buffer!;
    writeHeader(buffer, at, 4, type, 0, id);
    writeUint32(buffer, at + FRAME_HEADER_BYTES, value);
  }

  /** Adds bytes that are not a frame: the preface. At most frameBuffers.bytes. */
  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#buffer!.set(bytes, at);
  }

  /** Writes if much data waits. */
  relieve(): void {
    if (this.pending >= WRITE_AT_BYTES) this.#write();
  }

  flush(): void {
    this.#isScheduled = false;
    this.#write();
  }

  /** Writes all data, whether the peer reads or not, and ends the socket. Data that is added later is not written. */
  end(): void {
    this.isBlocked = false;
    this.#write();
    this.#isEnded = true;
    this.#socket.end();
  }

  #write(): void {
    const socket = this.#socket;
    if (this.pending === 0 || this.isBlocked || this.#isEnded || socket.destroyed) return;
    if (socket.writableLength === 0) this.#recycle();
    this.pending = 0;
    if (this.#pieces.length === 0) {
      socket.write(this.#buffer!.subarray(this.#from, this.#position));
      this.#from = this.#position;
    } else {
      this.#writePieces();
    }
    if (this.#full.length > 0) {
      this.#given.push(...this.#full);
      this.#full = [];
    }
    if (socket.writableLength > 0) {
      this.isBlocked = socket.writableNeedDrain;
      return;
    }
    this.#recycle();
    if (this.#buffer !== undefined) frameBuffers.give(this.#buffer);
    this.#buffer = undefined;
  }

  /** Called when the socket has written its data. */
  resume(): void {
    this.isBlocked = false;
    this.flush();
  }

  /** Drops all buffers: the connection writes nothing more. */
  dispose(): void {
    this.pending = 0;
    this.#pieces = [];
    // The socket may still refer to the buffers, so they are left to the garbage collector.
    this.#full = [];
    this.#given = [];
    this.#buffer = undefined;
  }

  #writePieces(): void {
    this.#seal();
    const socket = this.#socket;
    socket.cork();
    for (const piece of this.#pieces) socket.write(piece);
    socket.uncork();
    this.#pieces = [];
  }

  /** Reserves `bytes` in the buffer and returns their index. */
  #reserve(bytes: number): number {
    if (this.#buffer === undefined || this.#position + bytes > frameBuffers.bytes) this.#nextBuffer();
    const at = this.#position;
    this.#position = at + bytes;
    this.pending += bytes;
    if (!this.#isScheduled && !this.#isHeld) {
      this.#isScheduled = true;
      process.nextTick(this.#flush);
    }
    return at;
  }

  #nextBuffer(): void {
    this.#seal();
    if (this.#buffer !== undefined) this.#full.push(this.#buffer);
    this.#buffer = frameBuffers.take();
    this.#from = 0;
    this.#position = 0;
  }

  /** Moves the content of the buffer to the pieces. */
  #seal(): void {
    if (this.#position > this.#from) this.#pieces.push(this.#buffer!.subarray(this.#from, this.#position));
    this.#from = this.#position;
  }

  /** Called when the socket has written all buffers that it got before. */
  #recycle(): void {
    if (this.#given.length === 0) return;
    for (const buffer of this.#given) frameBuffers.give(buffer);
    this.#given = [];
  }
}

function writeHeader(buffer: Buffer, at: number, length: number, type: number, flags: number, id: number): void {
  buffer[at] = length >>> 16;
  buffer[at + 1] = length >>> 8;
  buffer[at + 2] = length;
  buffer[at + 3] = type;
  buffer[at + 4] = flags;
  writeUint32(buffer, at + 5, id);
}

function writeUint32(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value >>> 24;
  buffer[at + 1] = value >>> 16;
  buffer[at + 2] = value >>> 8;
  buffer[at + 3] = value;
}

function copySmall(source: Uint8Array, target: Buffer, at: number): void {
  for (let index = 0; index < source.length; index++) target[at + index] = source[index]!;
}
