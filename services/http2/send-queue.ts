// Data of one stream that waits for room: in the peer's windows, or in the socket. Only streams that wait have one.

const NOTHING = new Uint8Array(0);

/** Less than this in a stall period does not count as reading. */
const PROGRESS_BYTES = 1_024;

export class SendQueue {
  /** Bytes that wait. */
  bytes = 0;
  /** END_STREAM goes with the last of the data. */
  endsStream = false;
  /** Header block that follows the data and ends the stream. */
  trailers: Uint8Array | undefined = undefined;
  /** The layer above was told to wait, so it is called back when the queue is empty. */
  mustReport = false;
  /** True while the stream stands in the line of those that may send. */
  isInLine = false;
  #pieces: Uint8Array[] = [];
  #first = 0;
  /** Seconds without progress. */
  #stalled = 0;
  #sinceProgress = 0;

  add(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.bytes += piece.length;
  }

  /** Copies the piece that was added last, as far as it is still here. */
  ownLast(): void {
    const last = this.#pieces.length - 1;
    const piece = this.#pieces[last];
    if (piece !== undefined) this.#pieces[last] = Uint8Array.prototype.slice.call(piece);
  }

  /** Takes up to `most` bytes, of one piece. */
  take(most: number): Uint8Array {
    const piece = this.#pieces[this.#first];
    if (piece === undefined) return NOTHING;
    const taken = piece.length <= most ? piece : piece.subarray(0, most);
    if (taken === piece) this.#next();
    else this.#pieces[this.#first] = piece.subarray(most);
    this.bytes -= taken.length;
    this.#sinceProgress += taken.length;
    if (this.#sinceProgress >= PROGRESS_BYTES || this.bytes === 0) {
      this.#sinceProgress = 0;
      this.#stalled = 0;
    }
    return taken;
  }

  /** Once a second. Returns for how many seconds the peer has read nothing of this queue. */
  tick(): number {
    return this.#stalled++;
  }

  #next(): void {
    this.#pieces[this.#first++] = NOTHING;
    // What was sent must not be kept alive by what was not.
    if (this.#first * 2 < this.#pieces.length) return;
    this.#pieces = this.#pieces.slice(this.#first);
    this.#first = 0;
  }
}
