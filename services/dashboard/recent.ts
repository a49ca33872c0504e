// The newest items, up to a limit.
import type { Newest } from './sources.ts';

export class Recent<T> implements Newest<T> {
  readonly max: number;
  #items: T[] = [];

  constructor(max: number) {
    this.max = max;
  }

  add(item: T): void {
    this.#items.unshift(item);
    if (this.#items.length > this.max) this.#items.pop();
  }

  /** Updates an item. Does nothing if it was already dropped. */
  replace(item: T, by: T): void {
    const index = this.#items.indexOf(item);
    if (index >= 0) this.#items[index] = by;
  }

  recent(limit: number): readonly T[] {
    return this.#items.slice(0, limit);
  }
}
