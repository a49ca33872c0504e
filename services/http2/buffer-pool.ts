// A pool of buffers. Allocating a buffer costs more than copying its content.
import { FRAME_HEADER_BYTES, MAX_FRAME_BYTES } from './frames.ts';

/** Room for the largest frame. */
export const POOLED_BYTES = FRAME_HEADER_BYTES + MAX_FRAME_BYTES;

/** Buffers beyond this number are left to the garbage collector. */
const KEPT = 64;

const free: Buffer[] = [];

/** A buffer of POOLED_BYTES with unspecified content. */
export function takeBuffer(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(POOLED_BYTES);
}

/** Returns a buffer of `takeBuffer` to the pool. The caller may not use it afterwards. */
export function returnBuffer(buffer: Buffer): void {
  if (free.length < KEPT) free.push(buffer);
}
