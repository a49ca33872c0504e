// A ring of a node's last inputs: proto/NUMERICS.md, "Delay".
import { delayRows } from './delays.ts';

export class DelayLine {
  /** The inputs of the last steps, oldest first, after `settle`. */
  readonly rows: Float32Array;
  readonly #delays: Uint32Array;
  readonly #ring: Float32Array;
  readonly #depth: number;
  #now = 0;

  constructor(delays: Uint32Array) {
    this.#delays = delays;
    this.#depth = delayRows(delays);
    this.#ring = new Float32Array(this.#depth * delays.length);
    this.rows = new Float32Array(this.#ring.length);
  }

  clear(): void {
    this.#ring.fill(0);
    this.#now = 0;
  }

  /** Restores the inputs of earlier steps, oldest first. */
  restore(rows: Float32Array): void {
    this.#ring.set(rows);
    this.#now = 0;
  }

  /** Stores `x`, and writes to `y` each element's input from as many steps ago as its delay. */
  step(x: Float32Array, y: Float32Array): void {
    const [delays, ring, depth, now, size] = [this.#delays, this.#ring, this.#depth, this.#now, this.#delays.length];
    for (let k = 0; k < size; k += 1) {
      const value = x[k]!;
      const steps = delays[k]!;
      const row = steps <= now ? now - steps : now + depth - steps;
      y[k] = steps === 0 ? value : ring[row * size + k]!;
      if (depth > 0) ring[now * size + k] = value;
    }
    this.#now = now + 1 >= depth ? 0 : now + 1;
  }

  settle(): void {
    const oldest = this.#now * this.#delays.length;
    this.rows.set(this.#ring.subarray(oldest));
    this.rows.set(this.#ring.subarray(0, oldest), this.#ring.length - oldest);
  }
}
