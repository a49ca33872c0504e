// Reads protobuf's packed varints without allocating an object for each.

/** Returns their number. Throws RangeError if the last one is incomplete. */
export function countVarints(bytes: Uint8Array): number {
  let count = 0;
  for (let k = 0; k < bytes.length; k += 1) count += bytes[k]! < 128 ? 1 : 0;
  if (bytes.length > 0 && bytes[bytes.length - 1]! >= 128) throw new RangeError('the last number does not end');
  return count;
}

/** Reads one after another. Not exact above 2^53. */
export class VarintReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  next(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#at++]!;
    if (byte < 128) return byte;
    let value = byte & 127;
    for (let factor = 128; ; factor *= 128) {
      byte = bytes[this.#at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }
}
