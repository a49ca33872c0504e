// Memory for received messages, cut from a larger buffer: a separate buffer for each costs five times as much. A
// message that is kept long keeps 64 KiB in memory.

const SLAB_BYTES = 65_536;
/** A larger message gets separate memory. */
const MAX_BYTES = SLAB_BYTES / 4;

let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let used = 0;

/** A copy of `length` bytes of `source`. */
export function copyOf(source: Buffer, from: number, length: number): Buffer {
  if (length > MAX_BYTES) {
    const own = Buffer.allocUnsafeSlow(length);
    source.copy(own, 0, from, from + length);
    return own;
  }
  if (used + length > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    used = 0;
  }
  const at = used;
  used += length;
  source.copy(slab, at, from, from + length);
  return slab.subarray(at, used);
}
