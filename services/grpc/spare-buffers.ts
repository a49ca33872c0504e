// Large buffers that are no longer needed, for the next large message. When much memory outside its heap was allocated, V8
// collects all garbage, which takes some 10 ms. A caller that sends messages of 4 MB, each refused before its end, would
// cause that five times a second.
import { LARGE_BYTES, freeMemory } from './free-memory.ts';

/** All of them together. */
const MAX_SPARE_BYTES = 33_554_432;
/** Maximum size of a reused buffer, as a multiple of the needed bytes. */
const MAX_TIMES = 2;
/** Unused buffers are released after this time, milliseconds. */
const KEPT_MS = 5_000;

let spare: Buffer[] = [];
let spareBytes = 0;
let release: NodeJS.Timeout | undefined;

/** A buffer of at least `bytes`, with unspecified content. */
export function takeLarge(bytes: number): Buffer {
  const at = spare.findIndex(({ length }) => length >= bytes && length <= MAX_TIMES * bytes);
  if (at < 0) return Buffer.allocUnsafeSlow(bytes);
  const [buffer] = spare.splice(at, 1);
  spareBytes -= buffer!.length;
  return buffer!;
}

/** Nothing may refer to the buffer afterwards. */
export function giveLarge(buffer: Buffer): void {
  if (buffer.length < LARGE_BYTES) return;
  if (spareBytes + buffer.length > MAX_SPARE_BYTES) {
    freeMemory(buffer);
    return;
  }
  spare.push(buffer);
  spareBytes += buffer.length;
  release ??= setTimeout(() => {
    for (const unused of spare) freeMemory(unused);
    [spare, spareBytes, release] = [[], 0, undefined];
  }, KEPT_MS).unref();
}
