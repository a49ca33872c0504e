// Collects a header block in several frames: HEADERS without END_HEADERS, and its CONTINUATION frames.
import { ConnectionError, ErrorCode } from './error-codes.ts';

/** An ordinary sender fills its frames, so an allowed block never needs this many. */
const MOST_CONTINUATIONS = 32;
const BUDGET = 'continuations';

export class HeaderAssembly {
  /** The stream of the block; 0 if none is begun. */
  id = 0;
  endStream = false;
  bytes = 0;
  /** Seconds since the block was begun. */
  seconds = 0;
  readonly #maxBytes: number;
  #fragments: Buffer[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  begin(id: number, endStream: boolean): void {
    this.id = id;
    this.endStream = endStream;
    this.seconds = 0;
  }

  /** Adds a copy of buffer[start, end). Throws ENHANCE_YOUR_CALM. */
  add(buffer: Buffer, start: number, end: number): void {
    this.bytes += end - start;
    if (this.bytes > this.#maxBytes) {
      throw calm(`a header block has more than ${this.#maxBytes} bytes`);
    }
    if (this.#fragments.length > MOST_CONTINUATIONS) {
      throw calm(`a header block has more than ${MOST_CONTINUATIONS} CONTINUATION frames`);
    }
    this.#fragments.push(Buffer.from(buffer.subarray(start, end)));
  }

  /** Returns the whole block and forgets it. */
  complete(): Buffer {
    const block = Buffer.concat(this.#fragments, this.bytes);
    this.#fragments = [];
    this.bytes = 0;
    this.id = 0;
    return block;
  }
}

function calm(text: string): ConnectionError {
  return new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, text, BUDGET);
}
