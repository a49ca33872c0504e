// AEDAT 4, iniVation's files (https://docs.inivation.com, "AEDAT 4.0"): a header, then packets of several streams, each
// compressed separately. An event packet is a flatbuffer with one vector of 16-byte structures.
import { zstdDecompressSync } from 'node:zlib';
import { decompressLz4 } from './lz4.ts';
import { type EventList, type EventReader, RecordingError, isOutOfRange } from './recording.ts';

const MAGIC = '#!AER-DAT4.0\r\n';
const MAX_HEADER_BYTES = 4 * 1_048_576;
const MAX_PACKET_BYTES = 64 * 1_048_576;
const PACKET_HEAD_BYTES = 8;
const EVENT_BYTES = 16;
/** Type identifiers of flatbuffers; they follow the position of the root. */
const HEADER_TYPE = 'IOHE';
const EVENTS_TYPE = 'EVTS';

const COMPRESSIONS: readonly ((bytes: Buffer) => Buffer)[] = [
  (bytes) => bytes,
  (bytes) => decompressLz4(bytes, MAX_PACKET_BYTES),
  (bytes) => decompressLz4(bytes, MAX_PACKET_BYTES),
  decompressZstd,
  decompressZstd,
];

export class Aedat4Reader implements EventReader {
  readonly #to: EventList;
  #rest: Buffer = Buffer.alloc(0);
  /** Of the file, bytes before `#rest`. */
  #before = 0;
  #decompress: ((bytes: Buffer) => Buffer) | undefined;
  /** The table of contents starts here; there are no packets after it. */
  #tableAt = Infinity;

  constructor(to: EventList) {
    this.#to = to;
  }

  add(chunk: Uint8Array): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    try {
      if (this.#decompress === undefined && !this.#takeHeader()) return;
      while (this.#takePacket());
    } catch (error) {
      // Read beyond the end of a table.
      if (isOutOfRange(error)) throw new RecordingError('has a packet that is damaged');
      throw error;
    }
  }

  end(): void {
    if (this.#decompress === undefined) throw new RecordingError('ends in its header, or is empty');
    if (this.#before < this.#tableAt && this.#rest.length > 0) throw new RecordingError('ends within a packet');
  }

  #takeHeader(): boolean {
    const start = MAGIC.length + 4;
    if (this.#rest.length < start) return false;
    if (this.#rest.toString('latin1', 0, MAGIC.length) !== MAGIC) {
      throw new RecordingError('does not begin with "#!AER-DAT4.0"; is it an AEDAT 4 file?');
    }
    const length = this.#rest.readUInt32LE(MAGIC.length);
    if (length > MAX_HEADER_BYTES) throw new RecordingError(`has a header of more than ${MAX_HEADER_BYTES} bytes`);
    if (this.#rest.length < start + length) return false;
    const header = new Table(this.#rest.subarray(start, start + length), HEADER_TYPE);
    const compression = header.field(0, (bytes, at) => bytes.readInt32LE(at)) ?? 0;
    const tableAt = Number(header.field(1, (bytes, at) => bytes.readBigInt64LE(at)) ?? -1n);
    if (tableAt >= 0) this.#tableAt = tableAt;
    this.#decompress = COMPRESSIONS[compression];
    if (this.#decompress === undefined) throw new RecordingError(`has the unknown compression ${compression}`);
    this.#drop(start + length);
    return true;
  }

  #takePacket(): boolean {
    if (this.#before >= this.#tableAt || this.#rest.length < PACKET_HEAD_BYTES) return false;
    const length = this.#rest.readUInt32LE(4);
    if (length > MAX_PACKET_BYTES) throw new RecordingError(`has a packet of more than ${MAX_PACKET_BYTES} bytes`);
    if (this.#rest.length < PACKET_HEAD_BYTES + length) return false;
    const bytes = this.#decompress!(this.#rest.subarray(PACKET_HEAD_BYTES, PACKET_HEAD_BYTES + length));
    // After its own length.
    const packet = bytes.subarray(4);
    if (Table.typeOf(packet) === EVENTS_TYPE) this.#takeEvents(new Table(packet, EVENTS_TYPE));
    this.#drop(PACKET_HEAD_BYTES + length);
    return true;
  }

  #takeEvents(table: Table): void {
    const events = table.field(0, (bytes, at) => bytes.subarray(at + bytes.readUInt32LE(at)));
    if (events === undefined) return;
    const count = events.readUInt32LE(0);
    if (4 + count * EVENT_BYTES > events.length) throw new RangeError('a vector beyond its packet');
    for (let at = 4; at < 4 + count * EVENT_BYTES; at += EVENT_BYTES) {
      const tUs = Number(events.readBigInt64LE(at));
      this.#to.add(tUs, events.readInt16LE(at + 8), events.readInt16LE(at + 10), events[at + 12] !== 0);
    }
  }

  #drop(bytes: number): void {
    this.#rest = this.#rest.subarray(bytes);
    this.#before += bytes;
  }
}

/** The root of a flatbuffer. Reading beyond the end throws RangeError. */
class Table {
  readonly #bytes: Buffer;
  readonly #at: number;
  readonly #fields: number;

  static typeOf(bytes: Buffer): string {
    return bytes.toString('latin1', 4, 8);
  }

  constructor(bytes: Buffer, type: string) {
    if (Table.typeOf(bytes) !== type)
      throw new RecordingError(`has a table of type "${Table.typeOf(bytes)}" for ${type}`);
    this.#bytes = bytes;
    this.#at = bytes.readUInt32LE(0);
    this.#fields = this.#at - bytes.readInt32LE(this.#at);
  }

  field<T>(index: number, read: (bytes: Buffer, at: number) => T): T | undefined {
    const slot = 4 + 2 * index;
    const offset = slot < this.#bytes.readUInt16LE(this.#fields) ? this.#bytes.readUInt16LE(this.#fields + slot) : 0;
    return offset === 0 ? undefined : read(this.#bytes, this.#at + offset);
  }
}

function decompressZstd(bytes: Buffer): Buffer {
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: MAX_PACKET_BYTES });
  } catch {
    throw new RecordingError(
      `has a packet whose Zstandard data are damaged, or of more than ${MAX_PACKET_BYTES} bytes`,
    );
  }
}
