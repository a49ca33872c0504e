// Decompresses received messages on Node's thread pool, one at a time. A message of 4 KB may become one of 4 MB, so many at once
// would take the memory and the processors from all callers. Owners take turns.
import { gunzip, inflate } from 'node:zlib';
import { type Encoding, tooLarge } from './compression.ts';
import { freeMemory } from './free-memory.ts';
import { type Status, status } from './status.ts';

export interface Decompression {
  readonly bytes: Buffer;
  readonly encoding: Encoding;
  readonly maxBytes: number;
  /** Those of one owner wait for each other. */
  readonly owner: unknown;
  /** False: nobody waits for the message any more. */
  isWanted(): boolean;
  /** Called once, later, if it is wanted when its turn comes. `grownBytes`: memory that it took beyond its own size. */
  done(message: Buffer | undefined, problem: Status | undefined, grownBytes: number): void;
}

/** zlib returns to the main thread after each of these many bytes: more for a long message, less memory for a short one. */
const MIN_CHUNK_BYTES = 16_384;
const MAX_CHUNK_BYTES = 262_144;
const CHUNK_RATIO = 16;

/** RFC 1951: the most that a byte of deflate can become. */
const MAX_RATIO = 1_032;
/** RFC 1952: a gzip member ends with the number of its bytes before compression. */
const SIZE_BYTES = 4;

/** The next owner to be served is first. */
const waiting = new Map<unknown, Decompression[]>();
let isBusy = false;

export function decompress(wanted: Decompression): void {
  const queue = waiting.get(wanted.owner);
  if (queue === undefined) waiting.set(wanted.owner, [wanted]);
  else queue.push(wanted);
  if (!isBusy) next();
}

function next(): void {
  let wanted = shift();
  while (wanted?.isWanted() === false) wanted = shift();
  isBusy = wanted !== undefined;
  if (wanted !== undefined) run(wanted);
}

function shift(): Decompression | undefined {
  for (const [owner, queue] of waiting) {
    const first = queue.shift();
    waiting.delete(owner);
    if (queue.length > 0) waiting.set(owner, queue);
    return first;
  }
  return undefined;
}

function run({ bytes, encoding, maxBytes, done }: Decompression): void {
  const work = encoding === 'gzip' ? gunzip : inflate;
  const claim = encoding === 'gzip' ? claimedBytes(bytes, maxBytes) : 0;
  const chunkSize = Math.max(usualChunkBytes(bytes), claim + 1);
  work(bytes, { maxOutputLength: maxBytes, chunkSize }, (error, message) => {
    next();
    const grown = Math.max(error === null ? message.length : maxBytes, claim) - bytes.length;
    if (error === null) done(fitted(message), undefined, grown);
    else if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      done(undefined, tooLarge(maxBytes), grown);
    else done(undefined, status('INTERNAL', `the message is not valid ${encoding} (${error.message})`), grown);
  });
}

function usualChunkBytes({ length }: Buffer): number {
  return Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, CHUNK_RATIO * length));
}

/**
 * The size that gzip claims, and a byte more, so that the message is one piece: pieces would be joined in a copy. 0 if it cannot
 * be right.
 */
function claimedBytes(bytes: Buffer, maxBytes: number): number {
  if (bytes.length < SIZE_BYTES) return 0;
  const claim = bytes.readUInt32LE(bytes.length - SIZE_BYTES);
  return claim <= Math.min(maxBytes, MAX_RATIO * bytes.length) ? claim : 0;
}

/** A wrong claim must not keep memory. */
function fitted(message: Buffer): Buffer {
  const memory = Buffer.from(message.buffer);
  if (memory.length <= Math.max(2 * message.length, MAX_CHUNK_BYTES)) return message;
  const copy = Buffer.from(message);
  freeMemory(memory);
  return copy;
}
