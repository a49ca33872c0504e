// Running computations, by key. The table of a long-lived Map keeps deleted values in memory (see core/slot-list.ts),
// so the Map here holds numbers.
import type { SingleFlight } from './single-flight.ts';

export class FlightTable<V> {
  readonly #slots = new Map<string, number>();
  readonly #flights: (SingleFlight<V> | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#slots.size;
  }

  get(key: string): SingleFlight<V> | undefined {
    const slot = this.#slots.get(key);
    return slot === undefined ? undefined : this.#flights[slot];
  }

  /** `key` must not be in the table. */
  set(key: string, entry: SingleFlight<V>): void {
    const slot = this.#free.pop() ?? this.#flights.length;
    this.#flights[slot] = entry;
    this.#slots.set(key, slot);
  }

  delete(key: string): void {
    const slot = this.#slots.get(key);
    if (slot === undefined) return;
    this.#slots.delete(key);
    this.#flights[slot] = undefined;
    this.#free.push(slot);
  }
}
