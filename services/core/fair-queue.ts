// First come, first served for each owner, and the owners take turns: who queues a thousand waits for them alone.

export class FairQueue<Item> {
  /** Those with items, the next to be served first. */
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
