// Reads a file or standard input line by line, without loading all of it.
import { createReadStream, fstatSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { UsageError } from './usage-error.ts';

/** Maximum length of a line. No router accepts a longer input. */
const MAX_LINE_CHARACTERS = 256 * 1024 * 1024;

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

export class LineSource implements AsyncIterable<Line> {
  /** Bytes of the lines read so far. */
  bytesTaken = 0;
  /** Undefined if unknown, as with a pipe. */
  readonly totalBytes: number | undefined;
  readonly #stream: Readable;
  #stopped = false;

  /** `-` is standard input. */
  constructor(file: string) {
    if (file === '-') {
      this.#stream = process.stdin;
    } else {
      const fd = openFile(file);
      const stat = fstatSync(fd);
      this.totalBytes = stat.isFile() ? stat.size : undefined;
      this.#stream = createReadStream(file, { fd });
    }
  }

  /** Ends the reading, even while it waits for the next line. */
  stop(): void {
    this.#stopped = true;
    this.#stream.destroy();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Line> {
    let number = 0;
    // A long line is joined once, not again with every chunk.
    let pieces: string[] = [];
    let length = 0;
    try {
      for await (const text of this.#texts()) {
        const [head = '', ...others] = text.split('\n');
        pieces.push(head);
        length += head.length;
        if (length > MAX_LINE_CHARACTERS) throw new UsageError(`line ${number + 1} is too long`);
        for (const next of others) {
          yield this.#taken((number += 1), pieces.join(''), 1);
          if (this.#stopped) return;
          pieces = [next];
          length = next.length;
        }
      }
    } catch (error) {
      if (this.#stopped) return;
      throw error;
    }
    if (length > 0) yield this.#taken(number + 1, pieces.join(''), 0);
  }

  #taken(number: number, text: string, lineEnd: number): Line {
    this.bytesTaken += Buffer.byteLength(text) + lineEnd;
    return { number, text };
  }

  /** Decodes as a stream, so characters are not split at chunk ends. */
  async *#texts(): AsyncGenerator<string> {
    const decoder = new StringDecoder('utf8');
    for await (const chunk of this.#stream) yield decoder.write(chunk as Buffer);
    yield decoder.end();
  }
}

function openFile(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (error) {
    throw new UsageError(`cannot read "${file}": ${(error as Error).message}`);
  }
}
