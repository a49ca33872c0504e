// LZ4 frames (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md), decompressed up to a limit. Checksums are
// ignored: the reader checks the decompressed data.
import { RecordingError, isOutOfRange } from './recording.ts';

const MAGIC = 0x184d2204;
const VERSION = 1;
const MIN_MATCH = 4;

class Output {
  bytes = Buffer.allocUnsafe(65_536);
  length = 0;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  reserve(more: number): void {
    const needed = this.length + more;
    if (needed > this.#most) throw new RecordingError(`has a packet of more than ${this.#most} bytes`);
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.min(this.#most, Math.max(needed, 2 * this.bytes.length)));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  add(from: Buffer): void {
    this.reserve(from.length);
    from.copy(this.bytes, this.length);
    this.length += from.length;
  }

  /** Copies bytes from `distance` bytes back; source and target may overlap. */
  repeat(distance: number, length: number): void {
    if (distance === 0 || distance > this.length) throw damaged();
    this.reserve(length);
    const { bytes } = this;
    for (let k = 0; k < length; k += 1, this.length += 1) bytes[this.length] = bytes[this.length - distance]!;
  }
}

const damaged = (): RecordingError => new RecordingError('has a packet whose LZ4 data are damaged');

/** Throws RecordingError. `most`: maximum decompressed bytes. */
export function decompressLz4(frame: Buffer, most: number): Buffer {
  try {
    return decompress(frame, most);
  } catch (error) {
    // Read beyond the end.
    if (isOutOfRange(error)) throw damaged();
    throw error;
  }
}

function decompress(frame: Buffer, most: number): Buffer {
  if (frame.readUInt32LE(0) !== MAGIC) throw damaged();
  const flags = frame.readUInt8(4);
  const hasDictionary = (flags & 1) !== 0;
  if (flags >> 6 !== VERSION || hasDictionary) throw damaged();
  const blockTrailer = flags & 0x10 ? 4 : 0;
  let at = 7 + (flags & 0x08 ? 8 : 0);
  const output = new Output(most);
  for (;;) {
    const head = frame.readUInt32LE(at);
    at += 4;
    if (head === 0) return output.bytes.subarray(0, output.length);
    const length = head & 0x7fff_ffff;
    if (at + length > frame.length) throw damaged();
    const block = frame.subarray(at, at + length);
    if (head >>> 31) output.add(block);
    else decompressBlock(block, output);
    at += length + blockTrailer;
  }
}

function decompressBlock(block: Buffer, output: Output): void {
  let at = 0;
  /** A length of 15 continues in the next bytes. */
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    for (let byte = 255; byte === 255; at += 1) length += byte = block.readUInt8(at);
    return length;
  };
  while (at < block.length) {
    const token = block.readUInt8(at);
    at += 1;
    const literals = lengthFrom(token >> 4);
    if (at + literals > block.length) throw damaged();
    output.add(block.subarray(at, at + literals));
    at += literals;
    if (at === block.length) return; // the last sequence has only literals
    const distance = block.readUInt16LE(at);
    at += 2;
    output.repeat(distance, lengthFrom(token & 15) + MIN_MATCH);
  }
}
