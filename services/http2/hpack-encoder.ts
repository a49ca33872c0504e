// HPACK encoding without the dynamic table and without Huffman coding. Such a block can be encoded once and sent on
// every connection, and several blocks can be joined. Both sides handle plain strings faster than Huffman-coded ones.
import { isValidValue, kindOf, Kind } from './header-rules.ts';
import { STATIC_ENTRIES, STATIC_TABLE } from './hpack-tables.ts';

const INDEXED = 0x80;
const WITHOUT_INDEXING = 0x00;
/** Proxies must not put such a field into a table either. */
const NEVER_INDEXED = 0x10;
const SECRET = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie']);

/** Tells the peer that no dynamic table is used, whatever its settings allow. Goes before the first block of a connection. */
export const NO_TABLE = 0x20;

const NAME_INDEX = new Map<string, number>();
const FIELD_INDEX = new Map<string, number>();
for (let index = STATIC_ENTRIES; index > 0; index--) {
  const { name, value } = STATIC_TABLE[index]!;
  NAME_INDEX.set(name, index);
  FIELD_INDEX.set(`${name} ${value}`, index);
}

/** Grows to the largest block so far, up to a limit; a byte at a time into an array takes five times as long. */
let scratch = Buffer.allocUnsafeSlow(4_096);
const MOST_KEPT_BYTES = 65_536;
/** More than the bytes of a field besides its name and value. */
const MOST_INTEGER_BYTES = 6;
/** Up to this length a loop is faster than a native call. */
const SHORT_CHARS = 32;

/**
 * Encodes name, value, name, value, … Names are lower case, pseudo-headers come first. Throws RangeError for a name or a
 * value that HTTP/2 does not allow: nothing a caller supplies can add a field.
 */
export function encodeHeaders(list: readonly string[]): Buffer {
  let room = 0;
  for (const text of list) room += text.length + MOST_INTEGER_BYTES;
  if (room > scratch.length) scratch = Buffer.allocUnsafeSlow(room);
  const to = scratch;
  if (room > MOST_KEPT_BYTES) scratch = Buffer.allocUnsafeSlow(MOST_KEPT_BYTES);
  let end = 0;
  for (let at = 0; at + 1 < list.length; at += 2) end = writeField(to, end, list[at]!, list[at + 1]!);
  return Buffer.from(to.subarray(0, end));
}

/** Like the functions below, it returns where it has stopped. */
function writeField(to: Buffer, at: number, name: string, value: string): number {
  const kind = kindOf(name);
  if (kind === Kind.INVALID_NAME || kind === Kind.CONNECTION_SPECIFIC) {
    throw new RangeError(`the header name ${JSON.stringify(name)} is not allowed in HTTP/2`);
  }
  if (!isValidValue(value) || !isLatin1(value)) {
    throw new RangeError(`the value of header ${name} has a character that is not allowed in HTTP/2`);
  }
  const index = FIELD_INDEX.get(`${name} ${value}`);
  if (index !== undefined && value !== '') return writeInteger(to, at, INDEXED, 7, index);
  const nameIndex = NAME_INDEX.get(name) ?? 0;
  let end = writeInteger(to, at, SECRET.has(name) ? NEVER_INDEXED : WITHOUT_INDEXING, 4, nameIndex);
  if (nameIndex === 0) end = writeString(to, end, name);
  return writeString(to, end, value);
}

function writeString(to: Buffer, at: number, text: string): number {
  const start = writeInteger(to, at, 0, 7, text.length);
  if (text.length > SHORT_CHARS) return start + to.write(text, start, 'latin1');
  for (let each = 0; each < text.length; each++) to[start + each] = text.charCodeAt(each);
  return start + text.length;
}

/** Section 5.1. */
function writeInteger(to: Buffer, at: number, pattern: number, prefixBits: number, value: number): number {
  const most = (1 << prefixBits) - 1;
  if (value < most) {
    to[at] = pattern | value;
    return at + 1;
  }
  to[at] = pattern | most;
  let end = at + 1;
  let rest = value - most;
  for (; rest >= 0x80; rest >>>= 7) to[end++] = (rest & 0x7f) | 0x80;
  to[end] = rest;
  return end + 1;
}

function isLatin1(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0xff) return false;
  return true;
}
