// The receiver's side of flow control (RFC 9113, section 5.2), for a stream or for a connection.
//
// `room` is the number of bytes that the peer may still send. Arriving data lowers it, and a WINDOW_UPDATE raises it.
// Consumed bytes are announced in batches of half a window, so that a small message does not cost a WINDOW_UPDATE.

export class ReceiveWindow {
  readonly #size: number;
  #room: number;
  /** Consumed but not yet announced. */
  #consumed = 0;

  constructor(size: number) {
    this.#size = size;
    this.#room = size;
  }

  /** Bytes that have arrived and are not consumed. */
  get held(): number {
    return this.#size - this.#room - this.#consumed;
  }

  /** Returns false if the peer has sent more than it may. */
  receive(bytes: number): boolean {
    this.#room -= bytes;
    return this.#room >= 0;
  }

  /** Returns the increment to announce now, or 0. */
  consume(bytes: number): number {
    this.#consumed += bytes;
    if (this.#consumed * 2 < this.#size) return 0;
    const increment = this.#consumed;
    this.#consumed = 0;
    this.#room += increment;
    return increment;
  }
}
