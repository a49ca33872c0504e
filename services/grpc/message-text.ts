// The header grpc-message: UTF-8, with every byte escaped that is not printable ASCII, and the percent sign.

const PLAIN = /^[\x20-\x24\x26-\x7e]*$/;
const ESCAPE = /%[0-9a-fA-F]{2}/;
const SPACE = 0x20;
const TILDE = 0x7e;
const PERCENT = 0x25;

export function escapeMessage(text: string): string {
  if (PLAIN.test(text)) return text;
  let escaped = '';
  for (const byte of Buffer.from(text)) {
    const isPlain = byte >= SPACE && byte <= TILDE && byte !== PERCENT;
    escaped += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}

/** Never fails: an invalid escape stays unchanged, and invalid UTF-8 becomes U+FFFD. */
export function unescapeMessage(text: string): string {
  if (!ESCAPE.test(text)) return text;
  const bytes = Buffer.from(text);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const code = bytes[at] === PERCENT ? parseHex(bytes, at + 1) : undefined;
    bytes[length++] = code ?? bytes[at]!;
    if (code !== undefined) at += 2;
  }
  return bytes.toString('utf8', 0, length);
}

function parseHex(bytes: Buffer, at: number): number | undefined {
  const digits = bytes.toString('latin1', at, at + 2);
  return /^[0-9a-fA-F]{2}$/.test(digits) ? parseInt(digits, 16) : undefined;
}
