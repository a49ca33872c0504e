// Compressed messages: gzip, and deflate in zlib's form, as gRPC names them.
import { deflateSync, gzipSync } from 'node:zlib';
import { type Status, status } from './status.ts';

export type Encoding = 'identity' | 'gzip' | 'deflate';

export const ACCEPTED = 'identity,gzip,deflate';

/** Undefined: unknown encoding. */
export function toEncoding(name: string | undefined): Encoding | undefined {
  if (name === undefined || name === 'identity') return 'identity';
  return name === 'gzip' || name === 'deflate' ? name : undefined;
}

/** Runs in the calling thread: the caller chooses what to compress. */
export function compress(bytes: Uint8Array, encoding: Encoding): Uint8Array {
  if (encoding === 'identity') return bytes;
  return encoding === 'gzip' ? gzipSync(bytes) : deflateSync(bytes);
}

export function tooLarge(maxBytes: number, bytes?: number): Status {
  const has = bytes === undefined ? `is, decompressed, larger than ${maxBytes} bytes` : `has ${bytes} bytes`;
  return status('RESOURCE_EXHAUSTED', `the message ${has}; at most ${maxBytes} are taken: send less at once`);
}
