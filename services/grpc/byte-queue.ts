// Bytes that wait to be read. One buffer that doubles: a peer that sends single bytes makes it cost no more than a few times
// what it sent.

const FIRST_BYTES = 1_024;
const NONE = Buffer.alloc(0);

export class ByteQueue {
  #bytes = NONE;
  /** Of the first byte that waits, and after the last one. */
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  add(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#bytes.length) this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** All that waits, until more is added. */
  view(): Buffer {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** So many were read. */
  skip(count: number): void {
    this.#start += count;
    if (this.#start === this.#end) this.clear();
  }

  /** All of it; the memory is not used again here. */
  take(): Buffer {
    const taken = this.view();
    this.clear();
    return taken;
  }

  clear(): void {
    this.#bytes = NONE;
    this.#start = 0;
    this.#end = 0;
  }

  /** What was read leaves only when the rest is copied anyway: reading bit by bit costs no copy each time. */
  #makeRoom(more: number): void {
    const { length } = this;
    const needed = length + more;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * length, FIRST_BYTES));
    this.#bytes.copy(grown, 0, this.#start, this.#end);
    this.#bytes = grown;
    this.#start = 0;
    this.#end = length;
  }
}
