// Compressed messages: gzip, and deflate in zlib's form, as gRPC names them. What comes in is decompressed on Node's
// threads, so that a large message delays no other call; what comes out is bounded.
import { deflateSync, gunzip, gzipSync, inflate } from 'node:zlib';
import { type Status, status } from './status.ts';

export type Encoding = 'identity' | 'gzip' | 'deflate';

export const ACCEPTED = 'identity,gzip,deflate';

/** Undefined: we do not know it. */
export function toEncoding(name: string | undefined): Encoding | undefined {
  if (name === undefined || name === 'identity') return 'identity';
  return name === 'gzip' || name === 'deflate' ? name : undefined;
}

/** Calls back later with the message, or with why there is none. */
export function decompress(
  bytes: Buffer,
  encoding: Encoding,
  maxBytes: number,
  done: (message: Buffer | undefined, problem: Status | undefined) => void,
): void {
  const work = encoding === 'gzip' ? gunzip : inflate;
  work(bytes, { maxOutputLength: maxBytes }, (error, message) => {
    if (error === null) done(message, undefined);
    else if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') done(undefined, tooLarge(maxBytes));
    else done(undefined, status('INTERNAL', `the message is not valid ${encoding} (${error.message})`));
  });
}

/** In the caller's thread: what is sent compressed is the caller's choice. */
export function compress(bytes: Uint8Array, encoding: Encoding): Uint8Array {
  if (encoding === 'identity') return bytes;
  return encoding === 'gzip' ? gzipSync(bytes) : deflateSync(bytes);
}

export function tooLarge(maxBytes: number, bytes?: number): Status {
  const has = bytes === undefined ? `is, decompressed, larger than ${maxBytes} bytes` : `has ${bytes} bytes`;
  return status('RESOURCE_EXHAUSTED', `the message ${has}; at most ${maxBytes} are taken: send less at once`);
}
