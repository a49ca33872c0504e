// Splits the data of a socket into frames. A frame that lies in one chunk is passed on as a view of the chunk. Only a
// frame that crosses a border between chunks is copied.
import { frameBuffers } from './buffer-pool.ts';
import { frameSizeError } from './error-codes.ts';
import { FRAME_HEADER_BYTES, MAX_FRAME_BYTES, readUint31 } from './frames.ts';

export interface FrameSink {
  /** No more frames are wanted. */
  readonly isClosed: boolean;
  /** No more frames are wanted for now. Read after every FRAMES_AT_ONCE frames. */
  readonly mustWait: boolean;
  /** The payload is buffer[start, end), valid within this call only. Throws ConnectionError. */
  onFrame(type: number, flags: number, id: number, buffer: Buffer, start: number, end: number): void;
}

/** Frames between two reads of `mustWait`. */
const FRAMES_AT_ONCE = 8;

export class FrameReader {
  readonly #sink: FrameSink;
  /** The beginning of a frame whose rest is still to come. */
  #partial: Buffer | undefined;
  #filled = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /**
   * Reads frames from index `at` on. Returns the index to continue at: the chunk's length if all is read. Throws
   * ConnectionError.
   */
  read(chunk: Buffer, at = 0): number {
    const end = chunk.length;
    let position = this.#filled > 0 ? this.#complete(chunk, at) : at;
    let frames = 0;
    while (end - position >= FRAME_HEADER_BYTES) {
      const next = position + FRAME_HEADER_BYTES + lengthAt(chunk, position);
      if (next > end) break;
      this.#deliver(chunk, position, next);
      if (this.#sink.isClosed) return end;
      position = next;
      frames += 1;
      if (frames % FRAMES_AT_ONCE === 0 && this.#sink.mustWait) return position;
    }
    if (position < end) this.#keep(chunk, position, end);
    return end;
  }

  release(): void {
    if (this.#partial !== undefined) frameBuffers.give(this.#partial);
    this.#partial = undefined;
    this.#filled = 0;
  }

  #deliver(buffer: Buffer, position: number, next: number): void {
    const start = position + FRAME_HEADER_BYTES;
    this.#sink.onFrame(
      buffer[position + 3]!,
      buffer[position + 4]!,
      readUint31(buffer, position + 5),
      buffer,
      start,
      next,
    );
  }

  /** Adds to the partial frame. Returns the index at which the next frame starts. */
  #complete(chunk: Buffer, at: number): number {
    const afterHeader = this.#fillTo(FRAME_HEADER_BYTES, chunk, at);
    if (this.#filled < FRAME_HEADER_BYTES) return chunk.length;
    const size = FRAME_HEADER_BYTES + lengthAt(this.#partial!, 0);
    const position = this.#fillTo(size, chunk, afterHeader);
    if (this.#filled < size) return chunk.length;
    const frame = this.#partial!;
    this.#partial = undefined;
    this.#filled = 0;
    this.#deliver(frame, 0, size);
    frameBuffers.give(frame);
    return this.#sink.isClosed ? chunk.length : position;
  }

  #fillTo(size: number, chunk: Buffer, at: number): number {
    const wanted = Math.max(0, Math.min(size - this.#filled, chunk.length - at));
    chunk.copy(this.#partial!, this.#filled, at, at + wanted);
    this.#filled += wanted;
    return at + wanted;
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    this.#partial ??= frameBuffers.take();
    chunk.copy(this.#partial, this.#filled, start, end);
    this.#filled += end - start;
  }
}

function lengthAt(buffer: Uint8Array, at: number): number {
  const length = (buffer[at]! << 16) | (buffer[at + 1]! << 8) | buffer[at + 2]!;
  if (length > MAX_FRAME_BYTES) {
    throw frameSizeError(
      `a frame has ${length} bytes; at most ${MAX_FRAME_BYTES} are allowed (SETTINGS_MAX_FRAME_SIZE)`,
    );
  }
  return length;
}
