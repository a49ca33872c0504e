/** Smaller memory is left to the garbage collector; it may also be part of a buffer that others share. */
export const LARGE_BYTES = 131_072;

/**
 * Frees the memory of `bytes` at once, if they are large and take most of it. Nothing may read it afterwards: all views of it
 * become empty. A full garbage collection frees it, too, but much memory outside V8's heap brings one about, and it takes 10 ms.
 */
export function freeMemory({ buffer, length }: Uint8Array): void {
  const memory = buffer as ArrayBuffer;
  if (length >= LARGE_BYTES && 2 * length >= memory.byteLength && !memory.detached) memory.transfer(0);
}
