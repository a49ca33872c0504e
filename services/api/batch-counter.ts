// Counts the items of a ReasonBatchRequest while its bytes arrive, so that a batch with too many is refused after a few
// kilobytes, not after four megabytes.

/** `repeated ReasonRequest requests = 1`, the only field. */
const ITEM = 0x0a;
const MAX_LENGTH = 2 ** 32;

export class BatchCounter {
  /** Items seen so far. */
  items = 0;
  /** Bytes of the current item that have not arrived yet. */
  #left = 0;
  /** Length of the current item as far as it is read. Undefined: the tag is next. */
  #length: number | undefined;
  #factor = 1;
  /** An unknown field was seen: checkBatch counts the items once the whole message is here. */
  #isLost = false;

  /** Stops counting at `most` + 1. */
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
