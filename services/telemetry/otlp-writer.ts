// Writes protobuf into blocks of memory. It runs for every kept span, so it creates no object for a field, and copies
// short strings in a loop, which is faster than a native call.

/** A block for the spans of about a hundred requests. It is freed with the last of them. */
const CHUNK_BYTES = 65_536;
/** A character is at most three bytes of UTF-8. */
const MAX_BYTES_PER_CHAR = 3;
/** Up to this length a loop is faster. */
const SHORT_CHARS = 64;

const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);
const digest = new BigUint64Array(1);
const digestBytes = new Uint8Array(digest.buffer);
const DIGITS = Buffer.from('0123456789abcdef');

/** The maximum number of bytes of UTF-8 of a string. */
export function maxBytes(text: string): number {
  return text.length * MAX_BYTES_PER_CHAR;
}

export class OtlpWriter {
  #memory = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #at = 0;

  get memory(): Buffer {
    return this.#memory;
  }

  get position(): number {
    return this.#at;
  }

  /** Makes room for this number of bytes in one piece. Written data stays where it is. */
  reserve(bytes: number): void {
    if (this.#at + bytes <= this.#memory.length) return;
    this.#memory = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, bytes));
    this.#at = 0;
  }

  byte(value: number): void {
    this.#memory[this.#at++] = value;
  }

  /**
   * Begins a field with a length prefix, which usually takes `lengthBytes`. Pass the result and the same value to
   * `end`.
   */
  begin(tag: number, lengthBytes = 1): number {
    this.byte(tag);
    this.#at += lengthBytes;
    return this.#at;
  }

  end(start: number, lengthBytes = 1): void {
    const length = this.#at - start;
    const begin = start - lengthBytes;
    const bytes = varintBytes(length);
    if (bytes !== lengthBytes) this.#memory.copyWithin(begin + bytes, start, this.#at);
    this.#at = begin;
    this.varint(length);
    this.#at += length;
  }

  /** A whole number from 0 to 2^53. */
  varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.#memory[this.#at++] = (rest & 127) | 128; // the low bits are correct beyond 2^32, too
      rest = Math.floor(rest / 128);
    }
    this.#memory[this.#at++] = rest;
  }

  /** Big-endian, as ids are. */
  int32(value: number): void {
    this.#memory[this.#at++] = value >>> 24; // a byte takes the lowest eight bits
    this.#memory[this.#at++] = value >>> 16;
    this.#memory[this.#at++] = value >>> 8;
    this.#memory[this.#at++] = value;
  }

  fixed32(value: number): void {
    this.#memory[this.#at++] = value; // a byte takes the lowest eight bits
    this.#memory[this.#at++] = value >>> 8;
    this.#memory[this.#at++] = value >>> 16;
    this.#memory[this.#at++] = value >>> 24;
  }

  /** A double, as protobuf has it. */
  double(value: number): void {
    double[0] = value;
    for (let at = 0; at < 8; at += 1) this.#memory[this.#at++] = doubleBytes[at]!;
  }

  string(tag: number, text: string): void {
    this.byte(tag);
    if (text.length <= SHORT_CHARS) {
      const start = this.#at;
      this.#memory[this.#at++] = text.length;
      if (this.#ascii(text)) return;
      this.#at = start;
    }
    const bytes = Buffer.byteLength(text);
    this.varint(bytes);
    this.#at += this.#memory.write(text, this.#at);
  }

  raw(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 1) this.#memory[this.#at++] = bytes[at]!;
  }

  /** 64 bits as sixteen digits. */
  digits(value: bigint): void {
    digest[0] = value;
    for (let at = 7; at >= 0; at -= 1) {
      const byte = digestBytes[at]!;
      this.#memory[this.#at++] = DIGITS[byte >>> 4]!;
      this.#memory[this.#at++] = DIGITS[byte & 15]!;
    }
  }

  /** Returns false if it is not ASCII. */
  #ascii(text: string): boolean {
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code > 127) return false;
      this.#memory[this.#at++] = code;
    }
    return true;
  }
}

export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}
