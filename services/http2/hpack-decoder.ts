// HPACK decoding (RFC 7541). One decoder serves one connection: its dynamic table must see every block of it, in order.
import { ConnectionError, ErrorCode } from './error-codes.ts';
import { HeaderBlock } from './header-block.ts';
import { HeaderCache } from './header-cache.ts';
import { isValidValue, kindOf } from './header-rules.ts';
import { DynamicTable, Field, STATIC_ENTRIES, STATIC_TABLE, TABLE_BYTES } from './hpack-tables.ts';
import { decodeHuffman } from './huffman.ts';

const INDEXED = 0x80;
const INCREMENTAL = 0x40;
const SIZE_UPDATE = 0x20;
const HUFFMAN = 0x80;
/** A list that is this many times larger than allowed is an attack: a few bytes can decode to a large list. */
const BOMB_FACTOR = 4;

export class HpackDecoder {
  readonly #maxListBytes: number;
  readonly #table = new DynamicTable();
  readonly #cache = new HeaderCache();
  // The index in the present block.
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;

  /** A block whose list is larger than `maxListBytes` (counted as in RFC 9113, section 6.5.2) is marked as too large. */
  constructor(maxListBytes: number) {
    this.#maxListBytes = maxListBytes;
  }

  /** Bytes kept, at most. */
  get bytes(): number {
    return this.#table.bytes + this.#cache.bytes;
  }

  /** Decodes buffer[start, end), a whole block. Throws COMPRESSION_ERROR, or ENHANCE_YOUR_CALM for
   * a list far too large; the decoder cannot be used after that. */
  decode(buffer: Buffer, start: number, end: number): HeaderBlock {
    const cached = this.#cache.get(buffer, start, end, this.#table.generation);
    if (cached !== undefined) return cached;
    this.#buffer = buffer;
    this.#at = start;
    this.#end = end;
    const { generation } = this.#table;
    this.#readSizeUpdates();
    const block = this.#readFields();
    if (generation === this.#table.generation) this.#cache.offer(buffer, start, end, generation, block);
    return block;
  }

  #readSizeUpdates(): void {
    while (this.#at < this.#end && (this.#buffer[this.#at]! & 0xe0) === SIZE_UPDATE) {
      const size = this.#readInteger(5);
      if (size > TABLE_BYTES) throw invalid(`a table size update to ${size} bytes; at most ${TABLE_BYTES} are allowed`);
      this.#table.resize(size);
    }
  }

  #readFields(): HeaderBlock {
    const block = new HeaderBlock();
    let bytes = 0;
    while (this.#at < this.#end) {
      const field = this.#readField();
      bytes += field.size;
      // Fields beyond the limit are read, since they change the dynamic table, but they are not kept.
      if (bytes <= this.#maxListBytes) block.add(field.name, field.value, field.kind, field.isValid);
      else if (bytes > BOMB_FACTOR * this.#maxListBytes) throw bomb(BOMB_FACTOR * this.#maxListBytes);
    }
    block.isTooLarge = bytes > this.#maxListBytes;
    return block;
  }

  #readField(): Field {
    const byte = this.#buffer[this.#at]!;
    if (byte & INDEXED) return this.#field(this.#readInteger(7));
    if (byte & INCREMENTAL) {
      const field = this.#readLiteral(6);
      this.#table.insert(field);
      return field;
    }
    if (byte & SIZE_UPDATE) throw invalid('a table size update after the first field');
    return this.#readLiteral(4);
  }

  #field(index: number): Field {
    const field = index <= STATIC_ENTRIES ? STATIC_TABLE[index] : this.#table.get(index - STATIC_ENTRIES);
    if (field === undefined || index === 0) throw invalid(`no entry has the index ${index}`);
    return field;
  }

  #readLiteral(prefixBits: number): Field {
    const index = this.#readInteger(prefixBits);
    if (index > 0) {
      const { name, kind } = this.#field(index);
      return this.#literal(name, kind);
    }
    const name = this.#readString();
    return this.#literal(name, kindOf(name));
  }

  #literal(name: string, kind: number): Field {
    const value = this.#readString();
    return new Field(name, value, kind, isValidValue(value));
  }

  #readString(): string {
    if (this.#at >= this.#end) throw invalid('it ends within a field');
    const isHuffman = (this.#buffer[this.#at]! & HUFFMAN) !== 0;
    const length = this.#readInteger(7);
    const start = this.#at;
    const end = start + length;
    if (end > this.#end) throw invalid('a string is longer than the block');
    this.#at = end;
    return isHuffman ? decodeHuffman(this.#buffer, start, end) : this.#buffer.toString('latin1', start, end);
  }

  /** Section 5.1. No number of a valid block needs more than 28 bits after its prefix. */
  #readInteger(prefixBits: number): number {
    const most = (1 << prefixBits) - 1;
    let value = this.#buffer[this.#at++]! & most;
    if (value < most) return value;
    for (let shift = 0; shift < 28; shift += 7) {
      if (this.#at >= this.#end) throw invalid('it ends within a number');
      const byte = this.#buffer[this.#at++]!;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw invalid('a number has too many bytes');
  }
}

function bomb(bytes: number): ConnectionError {
  return new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, `a header list has more than ${bytes} bytes`, 'header lists');
}

function invalid(why: string): ConnectionError {
  return new ConnectionError(ErrorCode.COMPRESSION_ERROR, `a header block is invalid: ${why}`);
}
