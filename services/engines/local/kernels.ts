// The plain loops of a step. A store to a Float32Array rounds to binary32. A product or sum of two binary32 numbers,
// computed in binary64 and then rounded, equals the result rounded once (proto/NUMERICS.md, "Arithmetic").

/** Elements of an input that tell whether it is mostly 0. */
const SAMPLE = 64;

/** The list of spikes, filled when neurons fire, so that a weighted node need not search for them. */
export interface SpikeList {
  readonly at: Int32Array;
  count: number;
}

export function scale(y: Float32Array, factor: Float32Array, x: Float32Array): void {
  for (let k = 0; k < y.length; k += 1) y[k] = factor[k]! * x[k]!;
}

/** The list's new length. */
export function threshold(y: Float32Array, limit: Float32Array, x: Float32Array, spikes: Int32Array): number {
  let count = 0;
  for (let k = 0; k < y.length; k += 1) {
    const above = x[k]! > limit[k]!;
    y[k] = above ? 1 : 0;
    if (above) {
      spikes[count] = k;
      count += 1;
    }
  }
  return count;
}

export function add(sum: Float32Array, other: Float32Array): void {
  for (let k = 0; k < sum.length; k += 1) sum[k] = sum[k]! + other[k]!;
}

/** `value - value` is 0 for every finite value and NaN for all others. */
export function isFinite32(values: Float32Array): boolean {
  let check = 0;
  for (let k = 0; k < values.length; k += 1) check += values[k]! - values[k]!;
  return check === 0;
}

/** Lists the elements that are not 0, with their values; -0 is 0. */
export function gather(x: Float32Array, at: Int32Array, values: Float32Array): number {
  let count = 0;
  for (let j = 0; j < x.length; j += 1) {
    const value = x[j]!;
    if (value !== 0) {
      at[count] = j;
      values[count] = value;
      count += 1;
    }
  }
  return count;
}

/** The number of elements that are not 0; -0 is 0. */
export function countActive(x: Float32Array): number {
  let count = 0;
  for (let j = 0; j < x.length; j += 1) if (x[j] !== 0) count += 1;
  return count;
}

/** Judged by the first elements. */
export function isMostlyActive(x: Float32Array): boolean {
  const sample = x.length <= SAMPLE ? x : x.subarray(0, SAMPLE);
  return 2 * countActive(sample) > sample.length;
}
