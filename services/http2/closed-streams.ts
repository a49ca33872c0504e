// Ids of streams that this side has reset recently. The peer may not know yet, so its frames for them are not an error.

export class ClosedStreams {
  readonly #remembered: number;
  /** Allocated with the first id: most connections reset nothing. */
  #ids: Int32Array | undefined = undefined;
  #next = 0;

  constructor(remembered: number) {
    this.#remembered = remembered;
  }

  add(id: number): void {
    this.#ids ??= new Int32Array(this.#remembered);
    this.#ids[this.#next] = id;
    this.#next = (this.#next + 1) % this.#remembered;
  }

  has(id: number): boolean {
    return this.#ids?.includes(id) === true;
  }
}
