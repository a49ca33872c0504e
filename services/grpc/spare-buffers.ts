// Large buffers that were given up, for the next large message. V8 collects all garbage, for some 10 ms, when much memory
// outside its heap was allocated. A caller whose messages of 4 MB are refused half-way would cause that five times a
// second.

/** Smaller buffers cost nothing worth mentioning. */
const MIN_BYTES = 131_072;
/** All of them together. */
const MAX_SPARE_BYTES = 33_554_432;
/** A buffer may be so many times as large as needed. */
const MAX_TIMES = 2;
/** Until unused ones are released, milliseconds. */
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
  if (buffer.length < MIN_BYTES || spareBytes + buffer.length > MAX_SPARE_BYTES) return;
  spare.push(buffer);
  spareBytes += buffer.length;
  release ??= setTimeout(() => {
    [spare, spareBytes, release] = [[], 0, undefined];
  }, KEPT_MS).unref();
}
