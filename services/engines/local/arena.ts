// The memory of one network at work, taken once: arrays for JavaScript that WebAssembly can see, too.
import type { ColumnKernels } from './column-kernels.ts';
import { columnKernels, newMemory } from './column-kernels.ts';

const PAGE_BYTES = 65_536;
const VECTOR_BYTES = 16;

/** Bytes that an array of 4-byte elements takes in an arena: whole vectors. */
export function arenaBytes(elements: number): number {
  return Math.ceil((4 * elements) / VECTOR_BYTES) * VECTOR_BYTES;
}

export class Arena {
  readonly kernels: ColumnKernels;
  readonly #buffer: ArrayBuffer;
  #used = 0;

  constructor(bytes: number) {
    const memory = newMemory(Math.ceil(bytes / PAGE_BYTES));
    this.kernels = columnKernels(memory);
    this.#buffer = memory.buffer;
  }

  /** An array's `byteOffset` is its address. */
  floats(elements: number): Float32Array {
    return new Float32Array(this.#buffer, this.#take(elements), elements);
  }

  ints(elements: number): Int32Array {
    return new Int32Array(this.#buffer, this.#take(elements), elements);
  }

  #take(elements: number): number {
    const at = this.#used;
    this.#used += arenaBytes(elements);
    return at;
  }
}
