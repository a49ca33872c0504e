// Bytes that wait to be read. One buffer that grows: a peer that sends single bytes makes it cost no more than a few times
// what it sent.

const FIRST_BYTES = 1_024;
/** Room for what is expected is made at once where a 16th of it is there. Memory that is not written to costs nothing. */
const AHEAD = 16;
const NONE = Buffer.alloc(0);

export class ByteQueue {
  #bytes = NONE;
  /** Of the first byte that waits, and after the last one. */
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** `expected`: how many bytes will wait in all; 0: not known. */
  add(chunk: Uint8Array, expected = 0): void {
    if (this.#end + chunk.length > this.#bytes.length) this.#makeRoom(chunk.length, expected);
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
  #makeRoom(more: number, expected: number): void {
    const { length } = this;
    const needed = length + more;
    const ahead = Math.min(expected, AHEAD * needed);
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, ahead > 0 ? ahead : 2 * length, FIRST_BYTES));
    this.#bytes.copy(grown, 0, this.#start, this.#end);
    this.#bytes = grown;
    this.#start = 0;
    this.#end = length;
  }
}
