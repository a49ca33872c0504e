// Buffers that are used again and again. To allocate one costs more than to copy what it holds.
import { FRAME_HEADER_BYTES, MAX_FRAME_BYTES } from './frames.ts';

/** Room for the largest frame. */
export const POOLED_BYTES = FRAME_HEADER_BYTES + MAX_FRAME_BYTES;

/** More than this many are left to the garbage collector. */
const KEPT = 64;

const free: Buffer[] = [];

/** A buffer of POOLED_BYTES with unspecified content. */
export function takeBuffer(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(POOLED_BYTES);
}

/** Gives a buffer of `takeBuffer` back. Nothing may use it any more. */
export function returnBuffer(buffer: Buffer): void {
  if (free.length < KEPT) free.push(buffer);
}
