// Writes protobuf's wire format into reused memory: a message allocates only the copy that is sent. For the few
// messages of the hot path; generated code writes all others.

const INITIAL_BYTES = 65_536;
/** Memory of a larger message is not reused, since such messages are rare. */
const KEPT_BYTES = 1_048_576;
const MAX_VARINT_BYTES = 10;
const CONTINUES = 0x80;
/** Up to this length a loop is faster than a call into native code. */
const MAX_SHORT_CHARS = 12;

const scratch = new Uint8Array(8);
const float = new Float32Array(scratch.buffer);
const double = new Float64Array(scratch.buffer);
const fixed = new BigUint64Array(scratch.buffer);

export class WireWriter {
  #bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #at = 0;

  /** Discards everything written. */
  reset(): void {
    this.#at = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  }

  /** A copy of the bytes written since the last `reset`. */
  copy(): Buffer {
    const copy = Buffer.allocUnsafe(this.#at);
    this.#bytes.copy(copy, 0, 0, this.#at);
    return copy;
  }

  /** The bytes written since the last `reset`. Valid until the next write. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Like `copy`, in separate memory: for bytes that are kept long. */
  ownCopy(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.#at));
  }

  /** `value`: an integer, 0 to 2^53 - 1. */
  varint(value: number): void {
    this.#reserve(MAX_VARINT_BYTES);
    const bytes = this.#bytes;
    let rest = value;
    let at = this.#at;
    for (; rest >= CONTINUES; rest = Math.floor(rest / CONTINUES)) bytes[at++] = (rest % CONTINUES) | CONTINUES;
    bytes[at] = rest;
    this.#at = at + 1;
  }

  /** Writes nothing if it is 0; the following methods do the same. `tag`: field number and wire type, encoded. */
  number(tag: number, value: number): void {
    if (value === 0) return;
    this.varint(tag);
    this.varint(value);
  }

  /** Of 64 bits. */
  big(tag: number, value: bigint): void {
    if (value === 0n) return;
    this.varint(tag);
    if (value <= Number.MAX_SAFE_INTEGER) {
      this.varint(Number(value));
      return;
    }
    this.#reserve(MAX_VARINT_BYTES);
    let rest = value;
    while (rest >= 128n) {
      this.#bytes[this.#at++] = Number(rest & 127n) | CONTINUES;
      rest >>= 7n;
    }
    this.#bytes[this.#at++] = Number(rest);
  }

  fixed64(tag: number, value: bigint): void {
    if (value === 0n) return;
    this.varint(tag);
    fixed[0] = value;
    this.#putScratch(8);
  }

  double(tag: number, value: number): void {
    if (value === 0) return;
    this.varint(tag);
    double[0] = value;
    this.#putScratch(8);
  }

  float(tag: number, value: number): void {
    if (value === 0) return;
    this.varint(tag);
    float[0] = value;
    this.#putScratch(4);
  }

  floats(tag: number, values: readonly number[]): void {
    if (values.length === 0) return;
    this.varint(tag);
    this.varint(4 * values.length);
    this.#reserve(4 * values.length);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let k = 0; k < values.length; k += 1, at += 4) {
      float[0] = values[k]!;
      bytes[at] = scratch[0]!;
      bytes[at + 1] = scratch[1]!;
      bytes[at + 2] = scratch[2]!;
      bytes[at + 3] = scratch[3]!;
    }
    this.#at = at;
  }

  numbers(tag: number, values: readonly number[]): void {
    if (values.length === 0) return;
    this.varint(tag);
    const start = this.begin();
    for (let k = 0; k < values.length; k += 1) this.varint(values[k]!);
    this.end(start);
  }

  text(tag: number, value: string): void {
    if (value === '') return;
    this.varint(tag);
    this.#reserve(1 + 3 * value.length);
    if (this.#putShort(value)) return;
    const start = this.begin();
    this.#at += this.#bytes.write(value, this.#at);
    this.end(start);
  }

  /** A text that `put` writes to the bytes, starting at the index: at most 127 of them, ASCII. */
  put(tag: number, length: number, put: (bytes: Uint8Array, at: number) => void): void {
    this.varint(tag);
    this.varint(length);
    this.#reserve(length);
    put(this.#bytes, this.#at);
    this.#at += length;
  }

  /** Writes empty bytes, too: a message without fields is a message. */
  bytes(tag: number, value: Uint8Array): void {
    this.varint(tag);
    this.varint(value.length);
    this.raw(value);
  }

  /** Appends encoded fields. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** Starts a length-delimited value after its tag. `atLeast`: its expected length. Returns the argument for `end`. */
  begin(atLeast = 0): number {
    const width = widthOf(atLeast);
    this.#reserve(width);
    this.#at += width;
    return this.#at;
  }

  /** `atLeast`: the same as for `begin`. If the final length needs more bytes than that, the contents are moved. */
  end(start: number, atLeast = 0): void {
    const length = this.#at - start;
    const kept = widthOf(atLeast);
    const more = widthOf(length) - kept;
    if (more > 0) {
      this.#reserve(more);
      this.#bytes.copyWithin(start + more, start, this.#at);
    }
    this.#at = start - kept;
    this.varint(length);
    this.#at += length;
  }

  /** Writes length and text. Writes nothing if the text is not short ASCII, as most names are. */
  #putShort(value: string): boolean {
    const { length } = value;
    if (length > MAX_SHORT_CHARS) return false;
    const bytes = this.#bytes;
    const start = this.#at + 1;
    for (let k = 0; k < length; k += 1) {
      const code = value.charCodeAt(k);
      if (code >= CONTINUES) return false;
      bytes[start + k] = code;
    }
    bytes[start - 1] = length;
    this.#at = start + length;
    return true;
  }

  #putScratch(count: number): void {
    this.#reserve(count);
    for (let k = 0; k < count; k += 1) this.#bytes[this.#at + k] = scratch[k]!;
    this.#at += count;
  }

  #reserve(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

/** Encoded size of a length, bytes. */
function widthOf(length: number): number {
  if (length < CONTINUES) return 1;
  return length < 2 ** 14 ? 2 : length < 2 ** 21 ? 3 : length < 2 ** 28 ? 4 : 5;
}
