// Finds the passages nearest in meaning by the exact cosine with each one. A corpus is small enough to need no
// approximate index.

export class VectorIndex {
  readonly #dimensions: number;
  readonly #vectors: Int8Array;
  readonly #lengths: Float64Array;

  constructor(count: number, dimensions: number) {
    this.#dimensions = dimensions;
    this.#vectors = new Int8Array(count * dimensions);
    this.#lengths = new Float64Array(count);
  }

  /** The memory for the vector of passage `index`. Call `added` once it is written. */
  slot(index: number): Int8Array {
    return this.#vectors.subarray(index * this.#dimensions, (index + 1) * this.#dimensions);
  }

  added(index: number): void {
    this.#lengths[index] = lengthOf(this.slot(index));
  }

  /**
   * Indices of the `count` nearest vectors that `accepts` allows, nearest first; at equal distance, the lower index
   * first. Only vectors with a cosine above 0.
   */
  nearest(query: Int8Array, count: number, accepts: (index: number) => boolean = () => true): number[] {
    const length = lengthOf(query);
    const scores = this.#lengths.map((own, index) =>
      own === 0 || length === 0 || !accepts(index) ? 0 : this.#dot(query, index) / own,
    );
    return [...scores.keys()]
      .filter((index) => scores[index]! > 0)
      .sort((a, b) => scores[b]! - scores[a]! || a - b)
      .slice(0, count);
  }

  #dot(query: Int8Array, index: number): number {
    const from = index * this.#dimensions;
    let dot = 0;
    for (let k = 0; k < this.#dimensions; k += 1) dot += query[k]! * this.#vectors[from + k]!;
    return dot;
  }
}

function lengthOf(vector: Int8Array): number {
  let squares = 0;
  for (const value of vector) squares += value * value;
  return Math.sqrt(squares);
}
