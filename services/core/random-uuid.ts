import { random32 } from './trace-parent.ts';

export const UUID_CHARS = 36;

const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
const DASH = 0x2d;
const scratch = Buffer.alloc(UUID_CHARS);

/** A UUID of version 4 (RFC 9562). Unique, but not secret: node:crypto's costs three times as much. */
export function randomUuid(): string {
  putUuid(scratch, 0);
  return scratch.toString('latin1');
}

/** Writes its UUID_CHARS characters. */
export function putUuid(bytes: Uint8Array, start: number): void {
  const middle = random32();
  const end = random32();
  putDigits(bytes, start, 8, random32());
  putDigits(bytes, start + 9, 4, middle);
  putDigits(bytes, start + 14, 4, 0x4000_0000 | ((middle & 0xfff) << 16));
  putDigits(bytes, start + 19, 4, (end & 0x3fff_ffff) | 0x8000_0000);
  putDigits(bytes, start + 24, 4, end << 16);
  putDigits(bytes, start + 28, 8, random32());
  bytes[start + 8] = DASH;
  bytes[start + 13] = DASH;
  bytes[start + 18] = DASH;
  bytes[start + 23] = DASH;
}

/** The upper digits of 32 bits. */
function putDigits(bytes: Uint8Array, start: number, digits: number, word: number): void {
  for (let k = 0; k < digits; k += 1) bytes[start + k] = DIGITS[(word >>> (28 - 4 * k)) & 15]!;
}
