// A queue of bytes in one growing buffer. A peer that sends single bytes makes it use at most a few times the bytes
// that it sent.
import { giveLarge, takeLarge } from './spare-buffers.ts';

const FIRST_BYTES = 1_024;
/**
 * The expected size is allocated at once when a 16th of it has arrived. Memory that is not written to costs nothing.
 */
const AHEAD = 16;
const NONE = Buffer.alloc(0);

export class ByteQueue {
  #bytes: Buffer = NONE;
  /** Position of the first byte, and after the last one. */
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** `expected`: total number of bytes; 0: unknown. */
  add(chunk: Uint8Array, expected = 0): void {
    if (this.#end + chunk.length > this.#bytes.length) this.#makeRoom(chunk.length, expected);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** All queued bytes. Valid until more are added. */
  view(): Buffer {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** Removes bytes that were read. */
  skip(count: number): void {
    this.#start += count;
    if (this.#start === this.#end) this.clear();
  }

  /** All bytes; the queue does not reuse their memory. */
  take(): Buffer {
    const taken = this.view();
    this.#forget();
    return taken;
  }

  /** Nothing may refer to a view afterwards. */
  clear(): void {
    giveLarge(this.#bytes);
    this.#forget();
  }

  #forget(): void {
    this.#bytes = NONE;
    this.#start = 0;
    this.#end = 0;
  }

  /**
   * Bytes that were read are removed only when the rest is copied anyway, so that reading in small pieces causes no
   * copies.
   */
  #makeRoom(more: number, expected: number): void {
    const { length } = this;
    const needed = length + more;
    const ahead = Math.min(expected, AHEAD * needed);
    const grown = takeLarge(Math.max(needed, ahead > 0 ? ahead : 2 * length, FIRST_BYTES));
    this.#bytes.copy(grown, 0, this.#start, this.#end);
    giveLarge(this.#bytes);
    this.#bytes = grown;
    this.#start = 0;
    this.#end = length;
  }
}
