// Compressed messages: gzip, and deflate in zlib's form, as gRPC names them. Received messages are decompressed on
// Node's thread pool, so that a large one does not delay other calls, up to a maximum size.
import { deflateSync, gunzip, gzipSync, inflate } from 'node:zlib';
import { type Status, status } from './status.ts';

export type Encoding = 'identity' | 'gzip' | 'deflate';

export const ACCEPTED = 'identity,gzip,deflate';

/** Undefined: unknown encoding. */
export function toEncoding(name: string | undefined): Encoding | undefined {
  if (name === undefined || name === 'identity') return 'identity';
  return name === 'gzip' || name === 'deflate' ? name : undefined;
}

/** Calls back later with the message or the error. */
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

/** Runs in the calling thread: the caller chooses what to compress. */
export function compress(bytes: Uint8Array, encoding: Encoding): Uint8Array {
  if (encoding === 'identity') return bytes;
  return encoding === 'gzip' ? gzipSync(bytes) : deflateSync(bytes);
}

export function tooLarge(maxBytes: number, bytes?: number): Status {
  const has = bytes === undefined ? `is, decompressed, larger than ${maxBytes} bytes` : `has ${bytes} bytes`;
  return status('RESOURCE_EXHAUSTED', `the message ${has}; at most ${maxBytes} are taken: send less at once`);
}
