// The rules for header fields: RFC 9113, sections 8.2 and 8.3. A field is classified once, when it is decoded or put
// into the dynamic table. A block then only collects the kinds of its fields.

/** The kind of a field, by its name. */
export const Kind = {
  REGULAR: 0,
  METHOD: 1,
  SCHEME: 2,
  PATH: 3,
  AUTHORITY: 4,
  STATUS: 5,
  CONTENT_LENGTH: 6,
  TE: 7,
  CONNECTION_SPECIFIC: 8,
  INVALID_NAME: 9,
} as const;

/** Kinds METHOD to STATUS are pseudo-headers. */
export function isPseudo(kind: number): boolean {
  return kind >= Kind.METHOD && kind <= Kind.STATUS;
}

const KINDS = new Map<string, number>([
  [':method', Kind.METHOD],
  [':scheme', Kind.SCHEME],
  [':path', Kind.PATH],
  [':authority', Kind.AUTHORITY],
  [':status', Kind.STATUS],
  ['content-length', Kind.CONTENT_LENGTH],
  ['te', Kind.TE],
  ['connection', Kind.CONNECTION_SPECIFIC],
  ['proxy-connection', Kind.CONNECTION_SPECIFIC],
  ['keep-alive', Kind.CONNECTION_SPECIFIC],
  ['transfer-encoding', Kind.CONNECTION_SPECIFIC],
  ['upgrade', Kind.CONNECTION_SPECIFIC],
]);

/** The characters of a token (RFC 9110, section 5.6.2) without capital letters. */
const NAME_CHARACTERS = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") {
  NAME_CHARACTERS[character.charCodeAt(0)] = 1;
}

export function kindOf(name: string): number {
  return KINDS.get(name) ?? (isToken(name) ? Kind.REGULAR : Kind.INVALID_NAME);
}

function isToken(name: string): boolean {
  for (let at = 0; at < name.length; at++) if (NAME_CHARACTERS[name.charCodeAt(at)] !== 1) return false;
  return name.length > 0;
}

const SPACE = 0x20;
const TAB = 0x09;
const DELETE = 0x7f;

/** No control characters but tabs, and no white space at either end. */
export function isValidValue(value: string): boolean {
  const { length } = value;
  if (length === 0) return true;
  for (let at = 0; at < length; at++) {
    const code = value.charCodeAt(at);
    if ((code < SPACE && code !== TAB) || code === DELETE) return false;
  }
  const first = value.charCodeAt(0);
  const last = value.charCodeAt(length - 1);
  return first !== SPACE && first !== TAB && last !== SPACE && last !== TAB;
}

/** A content length, or -1 if `value` is not one. */
export function parseContentLength(value: string): number {
  return /^[0-9]{1,15}$/.test(value) ? Number(value) : -1;
}
