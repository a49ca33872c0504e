// The checksum that ends a message between router and engine (`checksum` in engine.proto). It detects changed bits or a
// lost message on the link, which TCP's checksum sometimes misses.
import { xxh64 } from '../xxh64.ts';

/** The field on the wire with an empty value: a tag (field 15, fixed64), then 8 bytes. */
export const EMPTY_CHECKSUM = Uint8Array.of(0x79, ...new Uint8Array(8));
const LENGTH = EMPTY_CHECKSUM.length;

/** Writes the checksum to the reserved end, and returns the same bytes. `seed`: messages sent before on the stream. */
export function seal(bytes: Buffer, seed: bigint): Buffer {
  const end = bytes.length - LENGTH;
  bytes.writeBigUInt64LE(xxh64(bytes.subarray(0, end), seed), end + 1);
  return bytes;
}

/** Whether the message ends with the correct checksum; false if it has none. */
export function isSealed(bytes: Buffer, seed: bigint): boolean {
  const end = bytes.length - LENGTH;
  if (end < 0 || bytes[end] !== EMPTY_CHECKSUM[0]) return false;
  return bytes.readBigUInt64LE(end + 1) === xxh64(bytes.subarray(0, end), seed);
}
