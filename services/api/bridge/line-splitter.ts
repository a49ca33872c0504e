// Lines of a byte stream, each within a limit.

const LINE_FEED = 0x0a;

/** A line has more bytes than the limit. */
export class LineTooLong extends Error {}

export class LineSplitter {
  readonly #maxBytes: number;
  /** Bytes of the line that is not complete yet. */
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that end in `chunk`, without line breaks. Throws LineTooLong. */
  *push(chunk: Buffer): Generator<Buffer> {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      this.#keep(chunk.subarray(from, end));
      from = end + 1;
      const line = Buffer.concat(this.#pieces);
      this.#pieces = [];
      this.#bytes = 0;
      yield line;
    }
    this.#keep(chunk.subarray(from));
  }

  #keep(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#bytes += piece.length;
    if (this.#bytes > this.#maxBytes) throw new LineTooLong();
    this.#pieces.push(piece);
  }
}
