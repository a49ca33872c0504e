// The five bytes before each message, for both roles.
import { PREFIX_BYTES } from './message-reader.ts';

const PREFIX = Buffer.alloc(PREFIX_BYTES);

/** Prefix of a message on the wire: compressed (1) or not (0), and its length. Valid until the next call. */
export function messagePrefix(flag: number, length: number): Uint8Array {
  PREFIX[0] = flag;
  PREFIX.writeUInt32BE(length, 1);
  return PREFIX;
}
