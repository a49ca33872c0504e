// Counts the items of a ReasonBatchRequest while its bytes come in, so that one with too many is refused after a few
// kilobytes and not after four megabytes.

/** `repeated ReasonRequest requests = 1`, the only field there is. */
const ITEM = 0x0a;
const MAX_LENGTH = 2 ** 32;

export class BatchCounter {
  /** Begun so far. */
  items = 0;
  /** Of the present item, bytes that are still to come. */
  #left = 0;
  /** Of the present item, its length as far as it is read; undefined: the tag is next. */
  #length: number | undefined;
  #factor = 1;
  /** Another field came: what there is of it is counted when all of it is there (checkBatch). */
  #isLost = false;

  /** Counts no further than to `most` and one more. */
  add(chunk: Uint8Array, most = Infinity): void {
    let at = 0;
    while (at < chunk.length && !this.#isLost && this.items <= most) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, chunk.length - at);
        this.#left -= skipped;
        at += skipped;
        continue;
      }
      this.#take(chunk[at++]!);
    }
  }

  #take(byte: number): void {
    if (this.#length === undefined) {
      this.#length = 0;
      this.#factor = 1;
      this.#isLost = byte !== ITEM;
      return;
    }
    this.#length += (byte & 127) * this.#factor;
    this.#factor *= 128;
    if (byte < 128) {
      this.items += 1;
      this.#left = this.#length;
      this.#length = undefined;
    } else this.#isLost = this.#factor > MAX_LENGTH;
  }
}
