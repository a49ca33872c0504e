// The static table (RFC 7541, appendix A) and the dynamic table (sections 2.3 and 4).
import { isValidValue, kindOf } from './header-rules.ts';

/** Bytes that RFC 7541 adds to the lengths of name and value for the size of an entry. */
const ENTRY_OVERHEAD = 32;
/** The default of SETTINGS_HEADER_TABLE_SIZE, which is never raised. */
export const TABLE_BYTES = 4_096;

export class Field {
  readonly name: string;
  readonly value: string;
  readonly size: number;
  readonly kind: number;
  readonly isValid: boolean;

  constructor(name: string, value: string, kind: number, isValid: boolean) {
    this.name = name;
    this.value = value;
    this.size = name.length + value.length + ENTRY_OVERHEAD;
    this.kind = kind;
    this.isValid = isValid;
  }
}

const STATIC_TEXT = `:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`;

/** From index 1 on; index 0 is no entry. */
export const STATIC_TABLE: readonly Field[] = ['', ...STATIC_TEXT.split('\n')].map((line) => {
  const space = line.indexOf(' ');
  const name = space < 0 ? line : line.slice(0, space);
  const value = space < 0 ? '' : line.slice(space + 1);
  return new Field(name, value, kindOf(name), isValidValue(value));
});
export const STATIC_ENTRIES = STATIC_TABLE.length - 1;

/** An entry has at least 32 bytes, so no more than these fit. A power of two. */
const RING = TABLE_BYTES / ENTRY_OVERHEAD;

export class DynamicTable {
  /** Changes whenever an index gets another meaning. */
  generation = 0;
  readonly #ring = new Array<Field | undefined>(RING).fill(undefined);
  /** The index of the newest entry. */
  #newest = 0;
  #count = 0;
  #bytes = 0;
  #capacity = TABLE_BYTES;

  get bytes(): number {
    return this.#bytes;
  }

  /** Entry 1 is the newest. Returns undefined if there is none. */
  get(index: number): Field | undefined {
    return index <= this.#count ? this.#ring[(this.#newest - index + 1) & (RING - 1)] : undefined;
  }

  /** An entry that is larger than the table empties it. */
  insert(field: Field): void {
    this.generation++;
    this.#evictTo(this.#capacity - field.size);
    if (field.size > this.#capacity) return;
    this.#newest = (this.#newest + 1) & (RING - 1);
    this.#ring[this.#newest] = field;
    this.#count++;
    this.#bytes += field.size;
  }

  /** `capacity` is at most TABLE_BYTES. */
  resize(capacity: number): void {
    this.generation++;
    this.#capacity = capacity;
    this.#evictTo(capacity);
  }

  #evictTo(bytes: number): void {
    while (this.#count > 0 && this.#bytes > bytes) {
      const oldest = (this.#newest - this.#count + 1) & (RING - 1);
      this.#bytes -= this.#ring[oldest]!.size;
      this.#ring[oldest] = undefined;
      this.#count--;
    }
  }
}
