// Data of one stream that waits for the peer's windows or for the socket. Only streams with waiting data have a queue.

const NOTHING = new Uint8Array(0);

/** Fewer bytes than this in a stall period do not count as reading. */
const PROGRESS_BYTES = 1_024;

export class SendQueue {
  /** Bytes that wait. */
  bytes = 0;
  /** END_STREAM goes with the last of the data. */
  endsStream = false;
  /** Header block that follows the data and ends the stream. */
  trailers: Uint8Array | undefined = undefined;
  /** True if the layer above must wait, so it is called when the queue is empty. */
  mustReport = false;
  /** True while the stream is in the sender's list of streams that may send. */
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

  /** Copies the unsent part of the piece that was added last. */
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

  /** Called once a second. Returns the number of seconds in which the peer has read nothing of this queue. */
  tick(): number {
    return this.#stalled++;
  }

  #next(): void {
    this.#pieces[this.#first++] = NOTHING;
    // Pieces that were sent must not stay in memory because of pieces that were not.
    if (this.#first * 2 < this.#pieces.length) return;
    this.#pieces = this.#pieces.slice(this.#first);
    this.#first = 0;
  }
}
