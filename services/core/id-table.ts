// Entries that wait for an answer, by number. Numbers increase and are never reused, so a late answer finds nothing. An
// array instead of a Map, for the reason in slot-list.ts: a removed entry leaves nothing behind.

const INITIAL_SLOTS = 64;

export class IdTable<Item extends object> {
  /** Number n is at index n modulo the length, a power of two. Numbers whose slot is taken are skipped. */
  #items: (Item | undefined)[] = Array.from({ length: INITIAL_SLOTS });
  #ids = new Float64Array(INITIAL_SLOTS);
  #nextId = 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Returns the entry's number, starting at 1. */
  add(item: Item): number {
    if (2 * this.#size >= this.#items.length) this.#grow();
    while (this.#items[this.#nextId % this.#items.length] !== undefined) this.#nextId += 1;
    const id = this.#nextId++;
    this.#put(id, item);
    this.#size += 1;
    return id;
  }

  get(id: number): Item | undefined {
    const slot = id % this.#items.length;
    return this.#ids[slot] === id ? this.#items[slot] : undefined;
  }

  /** Returns the removed entry; undefined: there was none. */
  remove(id: number): Item | undefined {
    const item = this.get(id);
    if (item === undefined) return undefined;
    this.#items[id % this.#items.length] = undefined;
    this.#size -= 1;
    return item;
  }

  /** The current numbers, in no order. */
  ids(): number[] {
    const ids: number[] = [];
    for (let slot = 0; slot < this.#items.length; slot += 1) {
      if (this.#items[slot] !== undefined) ids.push(this.#ids[slot]!);
    }
    return ids;
  }

  #grow(): void {
    const ids = this.ids();
    const items = ids.map((id) => this.get(id)!);
    this.#items = Array.from({ length: 2 * this.#items.length });
    this.#ids = new Float64Array(this.#items.length);
    for (const [k, id] of ids.entries()) this.#put(id, items[k]!);
  }

  #put(id: number, item: Item): void {
    const slot = id % this.#items.length;
    this.#items[slot] = item;
    this.#ids[slot] = id;
  }
}
