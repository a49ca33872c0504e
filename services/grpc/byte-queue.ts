// Bytes that wait to be whole. One buffer that doubles: a peer that sends single bytes makes it cost no more than twice
// what it sent.

const FIRST_BYTES = 1_024;

export class ByteQueue {
  length = 0;
  #bytes = Buffer.alloc(0);

  add(chunk: Uint8Array): void {
    const length = this.length + chunk.length;
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#bytes.length, FIRST_BYTES));
      this.#bytes.copy(grown, 0, 0, this.length);
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.length);
    this.length = length;
  }

  /** All of it, without a copy; the queue is empty then. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.length);
    this.#bytes = Buffer.alloc(0);
    this.length = 0;
    return taken;
  }
}
