// Metadata: names and values, in order. A name that ends in "-bin" has bytes as its value.

const NAME = /^[0-9a-z_.-]+$/;
const TEXT = /^[\x20-\x7e]*$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const BINARY = '-bin';
/** Only gRPC itself may send it, except the details of a status. */
const RESERVED = 'grpc-';
export const DETAILS = 'grpc-status-details-bin';
/** Names of HTTP. */
const FORBIDDEN = new Set([
  'connection',
  'content-type',
  'host',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
  'user-agent',
]);

export class Metadata {
  /** Name, value, name, value, …, as on the wire. */
  readonly list: string[];

  /** `list`: from a received header block. It is copied before the first change. */
  constructor(list: readonly string[] = []) {
    this.list = list as string[];
  }

  /** Throws TypeError if gRPC forbids the name or the value. */
  static of(entries: Readonly<Record<string, string | Uint8Array>>): Metadata {
    const list: string[] = [];
    for (const [name, value] of Object.entries(entries)) list.push(name, toWire(name, value));
    return new Metadata(list);
  }

  /** The first value; undefined: there is none. */
  first(name: string): string | undefined {
    for (let at = 0; at < this.list.length; at += 2) if (this.list[at] === name) return this.list[at + 1];
    return undefined;
  }

  /** All values, as on the wire. */
  get(name: string): string[] {
    const values: string[] = [];
    for (let at = 0; at < this.list.length; at += 2) if (this.list[at] === name) values.push(this.list[at + 1]!);
    return values;
  }

  /** All values of a name that ends in "-bin". Some senders join several values with commas in one header. */
  getBinary(name: string): Buffer[] {
    return this.get(name).flatMap((value) => value.split(',').map((each) => Buffer.from(each.trim(), 'base64')));
  }
}

function toWire(name: string, value: string | Uint8Array): string {
  if (!NAME.test(name)) {
    throw new TypeError(`metadata name "${name}" must be lower-case letters, digits, "-", "_" and "."`);
  }
  if ((name.startsWith(RESERVED) && name !== DETAILS) || FORBIDDEN.has(name)) {
    throw new TypeError(`metadata name "${name}" is reserved; choose another one`);
  }
  if (name.endsWith(BINARY) !== (typeof value !== 'string')) {
    throw new TypeError(`metadata "${name}": bytes need a name that ends in "-bin", and text one that does not`);
  }
  if (typeof value !== 'string') return Buffer.from(value).toString('base64').replace(/=+$/, '');
  if (!TEXT.test(value)) throw new TypeError(`metadata "${name}" must be printable ASCII; send bytes as "${name}-bin"`);
  return value;
}

/** The first name whose value must be base64 but is not; undefined: none. */
export function malformedBinary(list: readonly string[]): string | undefined {
  for (let at = 0; at < list.length; at += 2) {
    const name = list[at]!;
    if (name.endsWith(BINARY) && !list[at + 1]!.split(',').every((each) => isBase64(each.trim()))) return name;
  }
  return undefined;
}

function isBase64(text: string): boolean {
  return BASE64.test(text) && text.replace(/=+$/, '').length % 4 !== 1;
}
