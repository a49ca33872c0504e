// First come, first served within each owner; owners take turns. An owner with a thousand items delays only itself.

export class FairQueue<Item> {
  /** Owners with items; the next one to be served is first. */
  readonly #queues = new Map<unknown, Item[]>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(owner: unknown, item: Item): void {
    const queue = this.#queues.get(owner);
    if (queue === undefined) this.#queues.set(owner, [item]);
    else queue.push(item);
    this.#length += 1;
  }

  shift(): Item | undefined {
    for (const [owner, queue] of this.#queues) {
      const item = queue.shift();
      this.#queues.delete(owner);
      if (queue.length > 0) this.#queues.set(owner, queue);
      this.#length -= 1;
      return item;
    }
    return undefined;
  }
}
