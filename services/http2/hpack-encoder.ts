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

/**
 * Encodes name, value, name, value, … Names are lower case, pseudo-headers come first. Throws RangeError for a name or a
 * value that HTTP/2 does not allow: nothing a caller supplies can add a field.
 */
export function encodeHeaders(list: readonly string[]): Buffer {
  const bytes: number[] = [];
  for (let at = 0; at + 1 < list.length; at += 2) encodeField(bytes, list[at]!, list[at + 1]!);
  return Buffer.from(bytes);
}

function encodeField(bytes: number[], name: string, value: string): void {
  const kind = kindOf(name);
  if (kind === Kind.INVALID_NAME || kind === Kind.CONNECTION_SPECIFIC) {
    throw new RangeError(`the header name ${JSON.stringify(name)} is not allowed in HTTP/2`);
  }
  if (!isValidValue(value) || !isLatin1(value)) {
    throw new RangeError(`the value of header ${name} has a character that is not allowed in HTTP/2`);
  }
  const index = FIELD_INDEX.get(`${name} ${value}`);
  if (index !== undefined && value !== '') {
    encodeInteger(bytes, INDEXED, 7, index);
    return;
  }
  const nameIndex = NAME_INDEX.get(name) ?? 0;
  encodeInteger(bytes, SECRET.has(name) ? NEVER_INDEXED : WITHOUT_INDEXING, 4, nameIndex);
  if (nameIndex === 0) encodeString(bytes, name);
  encodeString(bytes, value);
}

function encodeString(bytes: number[], text: string): void {
  encodeInteger(bytes, 0, 7, text.length);
  for (let at = 0; at < text.length; at++) bytes.push(text.charCodeAt(at));
}

/** Section 5.1. */
function encodeInteger(bytes: number[], pattern: number, prefixBits: number, value: number): void {
  const most = (1 << prefixBits) - 1;
  if (value < most) {
    bytes.push(pattern | value);
    return;
  }
  bytes.push(pattern | most);
  let rest = value - most;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
}

function isLatin1(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0xff) return false;
  return true;
}
