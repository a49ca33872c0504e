// Splits the bytes of a stream into messages. Each has a prefix of five bytes: whether it is compressed, and its
// length. Reading can be paused: then received bytes are kept and not released from the flow-control window, so the
// peer stops sending.
import { ByteQueue } from './byte-queue.ts';
import { type Encoding, tooLarge } from './compression.ts';
import { decompress } from './decompression.ts';
import { copyOf } from './slab.ts';
import { type Status, status } from './status.ts';

export const PREFIX_BYTES = 5;
const COMPRESSED = 1;

/** Gets the bytes of uncompressed messages as they arrive. Returns why one is refused, or undefined. */
export type Inspect = (bytes: Buffer) => Status | undefined;

export interface MessageSink {
  /** Messages of one owner are decompressed one after the other, and owners take turns. */
  readonly owner: unknown;
  /** `bytes` may be kept. */
  onMessage(bytes: Buffer): void;
  /** Reading has ended with an error. `isFlag`: the compression flag is invalid. */
  onBadMessage(problem: Status, isFlag: boolean): void;
  /** This many bytes were released: the peer may send as many. */
  onConsumed(bytes: number): void;
  /** A message took this many bytes more than were received. */
  onInflated(bytes: number): void;
  /** Reading has resumed, and all kept bytes are read. */
  onCaughtUp(): void;
}

/** Returns true if `chunk` is exactly one uncompressed message of at most `maxBytes`. */
export function isPlainMessage(chunk: Buffer, maxBytes: number): boolean {
  const bytes = chunk.length - PREFIX_BYTES;
  return bytes >= 0 && bytes <= maxBytes && chunk[0] === 0 && chunk.readUInt32BE(1) === bytes;
}

export class MessageReader {
  /** Encoding of compressed messages. */
  encoding: Encoding;
  readonly #sink: MessageSink;
  readonly #maxBytes: number;
  readonly #inspect: Inspect | undefined;
  /** Complete messages so far. */
  count = 0;
  /** Bytes read of the current message's prefix. */
  #prefix = 0;
  #isCompressed = false;
  #length = 0;
  readonly #message = new ByteQueue();
  /** Bytes received while reading was paused. */
  readonly #held = new ByteQueue();
  #isPaused = false;
  /** The message that is being decompressed, or waits for it. */
  #compressed: Buffer | undefined = undefined;
  #isOver = false;
  #isReading = false;

  constructor(sink: MessageSink, encoding: Encoding, maxBytes: number, inspect?: Inspect) {
    this.#sink = sink;
    this.encoding = encoding;
    this.#maxBytes = maxBytes;
    this.#inspect = inspect;
  }

  /** Bytes of messages that are not read yet. */
  get bytesHeld(): number {
    return this.#message.length + this.#held.length + (this.#compressed?.length ?? 0);
  }

  /** Pauses reading. */
  get isHeld(): boolean {
    return this.#isPaused || this.isDecompressing;
  }

  get isDecompressing(): boolean {
    return this.#compressed !== undefined;
  }

  /** Whether part of a message has arrived and the rest is awaited from its sender. */
  get isPartial(): boolean {
    return this.#prefix > 0 && !this.isHeld;
  }

  add(chunk: Buffer): void {
    if (this.#isOver) return;
    const read = this.#read(chunk);
    if (read < chunk.length && !this.#isStopped()) this.#held.add(chunk.subarray(read));
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#catchUp();
  }

  /** Releases everything. */
  stop(): void {
    this.#isOver = true;
    this.#message.clear();
    this.#held.clear();
    this.#compressed = undefined;
  }

  #catchUp(): void {
    if (this.#isReading || !this.#mayRead()) return;
    if (this.#held.length > 0) {
      const read = this.#read(this.#held.view());
      if (!this.#isStopped()) this.#held.skip(read);
    }
    if (this.#mayRead()) this.#sink.onCaughtUp();
  }

  #mayRead(): boolean {
    return !this.#isOver && !this.isHeld;
  }

  #isStopped(): boolean {
    return this.#isOver;
  }

  /** Returns the number of bytes read before reading was paused or ended. */
  #read(chunk: Buffer): number {
    let at = 0;
    this.#isReading = true;
    while (at < chunk.length && this.#mayRead()) {
      if (this.#prefix < PREFIX_BYTES) {
        this.#readPrefix(chunk[at++]!);
        if (this.#prefix < PREFIX_BYTES || this.#length > 0) continue;
      }
      at += this.#readMessage(chunk, at);
    }
    this.#isReading = false;
    if (at > 0) this.#sink.onConsumed(at);
    return at;
  }

  #readPrefix(byte: number): void {
    if (this.#prefix > 0) this.#length = this.#length * 256 + byte;
    else {
      const problem = flagProblem(byte, this.encoding);
      if (problem !== undefined) {
        this.#refuse(problem, true);
        return;
      }
      this.#isCompressed = byte === COMPRESSED;
      this.#length = 0;
    }
    this.#prefix += 1;
    if (this.#prefix === PREFIX_BYTES && this.#length > this.#maxBytes) {
      this.#refuse(tooLarge(this.#maxBytes, this.#length));
    }
  }

  /** Returns the number of bytes consumed. */
  #readMessage(chunk: Buffer, at: number): number {
    if (this.#isOver) return 0;
    const took = Math.min(this.#length - this.#message.length, chunk.length - at);
    const isFirst = this.#message.length === 0;
    if (this.#inspect !== undefined && !this.#isCompressed) {
      const problem = this.#inspect(chunk.subarray(at, at + took));
      if (problem !== undefined) {
        this.#refuse(problem);
        return took;
      }
    }
    if (isFirst && took === this.#length) {
      this.#deliver(copyOf(chunk, at, took));
      return took;
    }
    this.#message.add(chunk.subarray(at, at + took), this.#length);
    if (this.#message.length === this.#length) this.#deliver(this.#message.take());
    return took;
  }

  #deliver(bytes: Buffer): void {
    this.#prefix = 0;
    this.count += 1;
    if (!this.#isCompressed) {
      this.#sink.onMessage(bytes);
      return;
    }
    this.#compressed = bytes;
    const maxBytes = this.#maxBytes;
    decompress({
      bytes,
      encoding: this.encoding,
      maxBytes,
      owner: this.#sink.owner,
      isWanted: () => !this.#isOver,
      done: (message, problem, grownBytes) => {
        this.#compressed = undefined;
        this.#sink.onInflated(grownBytes);
        if (this.#isOver) return;
        if (message === undefined) this.#refuse(problem!);
        else {
          this.#sink.onMessage(message);
          this.#catchUp();
        }
      },
    });
  }

  #refuse(problem: Status, isFlag = false): void {
    this.stop();
    this.#sink.onBadMessage(problem, isFlag);
  }
}

/** Undefined: the flag is valid. gRPC's compression.md asks for INTERNAL. */
function flagProblem(flag: number, encoding: Encoding): Status | undefined {
  if (flag === 0 || (flag === COMPRESSED && encoding !== 'identity')) return undefined;
  if (flag !== COMPRESSED)
    return status('INTERNAL', `the message has flag ${flag}; there are 0 and 1: send a gRPC message`);
  return status(
    'INTERNAL',
    'the message is flagged as compressed, but header grpc-encoding is missing; send it uncompressed, or name gzip or deflate',
  );
}
