// Weights as they are kept until a simulator lays them out for its kernels. Those that were quantised to 8 bits, as a table of
// embeddings mostly is, have few different values: each is then kept as a byte, in a quarter of the memory.

/** Weight `n` is `values[indices[n]]`, to the bit. */
export interface FewValues {
  readonly values: Float32Array;
  readonly indices: Uint8Array;
}

export type PackedWeights = Float32Array | FewValues;

const MAX_VALUES = 256;

/** In memory that workers see without a copy. Returns `weights` itself where more values differ than a byte can tell apart. */
export function packWeights(weights: Float32Array): PackedWeights {
  // As bits: -0 is not +0.
  const bits = new Uint32Array(weights.buffer, weights.byteOffset, weights.length);
  const indices = new Uint8Array(new SharedArrayBuffer(weights.length));
  const known = new Map<number, number>();
  for (let n = 0; n < bits.length; n += 1) {
    let index = known.get(bits[n]!);
    if (index === undefined) {
      index = known.size;
      if (index === MAX_VALUES) return weights;
      known.set(bits[n]!, index);
    }
    indices[n] = index;
  }
  return { values: new Float32Array(Uint32Array.from(known.keys()).buffer), indices };
}

/** Writes the weights `from` to `to` into `target`, at `at` and behind. */
export function unpackWeights(
  weights: PackedWeights,
  from: number,
  to: number,
  target: Float32Array,
  at: number,
): void {
  if (weights instanceof Float32Array) {
    target.set(weights.subarray(from, to), at);
    return;
  }
  const { values, indices } = weights;
  for (let n = from; n < to; n += 1) target[at + n - from] = values[indices[n]!]!;
}

export function countOf(weights: PackedWeights): number {
  return weights instanceof Float32Array ? weights.length : weights.indices.length;
}
