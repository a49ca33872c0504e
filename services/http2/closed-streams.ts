// Ids of streams that this side has reset a short time ago. The peer may not know yet, so its frames for them are no error.

const REMEMBERED = 256;

export class ClosedStreams {
  readonly #ids = new Int32Array(REMEMBERED);
  #next = 0;

  add(id: number): void {
    this.#ids[this.#next] = id;
    this.#next = (this.#next + 1) % REMEMBERED;
  }

  has(id: number): boolean {
    return this.#ids.includes(id);
  }
}
