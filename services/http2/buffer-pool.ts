// Pools of buffers. Allocating a buffer costs more than copying its content, and much memory outside V8's heap causes
// full garbage collections.
import { FRAME_HEADER_BYTES, MAX_FRAME_BYTES } from './frames.ts';

export class BufferPool {
  readonly bytes: number;
  readonly #maxFree: number;
  readonly #free: Buffer[] = [];

  /** `maxFree`: buffers beyond this number are left to the garbage collector. */
  constructor(bytes: number, maxFree: number) {
    this.bytes = bytes;
    this.#maxFree = maxFree;
  }

  /** A buffer of `bytes`, with unspecified content. */
  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.bytes);
  }

  /** Takes back a buffer of `take`. The caller may not use it afterwards. */
  give(buffer: Buffer): void {
    if (this.#free.length < this.#maxFree) this.#free.push(buffer);
  }
}

/** Each has room for the largest frame. */
export const frameBuffers = new BufferPool(FRAME_HEADER_BYTES + MAX_FRAME_BYTES, 64);
/** Each has room for what Node.js reads of a socket at once. */
export const chunkBuffers = new BufferPool(65_536, 64);
