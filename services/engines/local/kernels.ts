// The loops of a step. Every arithmetic operation is rounded to binary32 on its own (proto/NUMERICS.md, "Arithmetic"):
// a sum, difference or product of two binary32 numbers, computed in binary64 and then rounded, is rounded once in effect.
//
// `from` and `to` bound the elements, so that a caller can stop between two pieces of a large node. A kernel that can
// leave the finite numbers returns -1 if it did: `value - value` is 0 for every finite value and NaN for all others.

const { fround } = Math;

/** Where spikes are listed as they are fired, so that a weighted node need not look for them. */
export interface SpikeList {
  readonly at: Int32Array;
  count: number;
}

/** What every element of a neuron has. Kinds of neuron that lack a field never touch it. */
export interface NeuronArrays {
  readonly v: Float32Array;
  readonly i: Float32Array;
  readonly y: Float32Array;
  readonly gain: Float32Array;
  readonly leak: Float32Array;
  readonly resistance: Float32Array;
  readonly synapse: Float32Array;
  readonly inputWeight: Float32Array;
  readonly threshold: Float32Array;
  readonly reset: Float32Array;
  readonly spikes: Int32Array;
  readonly subtract: boolean;
}

/** The list's new length, or -1. */
export function stepLif(n: NeuronArrays, x: Float32Array, from: number, to: number, count: number): number {
  const { v, y, gain, leak, resistance, threshold, reset, spikes, subtract } = n;
  let check = 0;
  for (let k = from; k < to; k += 1) {
    let u = v[k]!;
    u = fround(u + fround(gain[k]! * fround(fround(leak[k]! - u) + fround(resistance[k]! * x[k]!))));
    check += u - u;
    if (u > threshold[k]!) {
      u = subtract ? fround(u - threshold[k]!) : reset[k]!;
      check += u - u;
      y[k] = 1;
      spikes[count] = k;
      count += 1;
    } else {
      y[k] = 0;
    }
    v[k] = u;
  }
  return check === 0 ? count : -1;
}

export function stepIf(n: NeuronArrays, x: Float32Array, from: number, to: number, count: number): number {
  const { v, y, gain, threshold, reset, spikes, subtract } = n;
  let check = 0;
  for (let k = from; k < to; k += 1) {
    let u = fround(v[k]! + fround(gain[k]! * x[k]!));
    check += u - u;
    if (u > threshold[k]!) {
      u = subtract ? fround(u - threshold[k]!) : reset[k]!;
      check += u - u;
      y[k] = 1;
      spikes[count] = k;
      count += 1;
    } else {
      y[k] = 0;
    }
    v[k] = u;
  }
  return check === 0 ? count : -1;
}

export function stepCubaLif(n: NeuronArrays, x: Float32Array, from: number, to: number, count: number): number {
  const { v, i, y, gain, leak, resistance, synapse, inputWeight, threshold, reset, spikes, subtract } = n;
  let check = 0;
  for (let k = from; k < to; k += 1) {
    let current = i[k]!;
    current = fround(current + fround(synapse[k]! * fround(fround(inputWeight[k]! * x[k]!) - current)));
    i[k] = current;
    let u = v[k]!;
    u = fround(u + fround(gain[k]! * fround(fround(leak[k]! - u) + fround(resistance[k]! * current))));
    check += current - current + (u - u);
    if (u > threshold[k]!) {
      u = subtract ? fround(u - threshold[k]!) : reset[k]!;
      check += u - u;
      y[k] = 1;
      spikes[count] = k;
      count += 1;
    } else {
      y[k] = 0;
    }
    v[k] = u;
  }
  return check === 0 ? count : -1;
}

export function stepLi(n: NeuronArrays, x: Float32Array, from: number, to: number): number {
  const { v, gain, leak, resistance } = n;
  let check = 0;
  for (let k = from; k < to; k += 1) {
    let u = v[k]!;
    u = fround(u + fround(gain[k]! * fround(fround(leak[k]! - u) + fround(resistance[k]! * x[k]!))));
    check += u - u;
    v[k] = u;
  }
  return check === 0 ? 0 : -1;
}

export function stepCubaLi(n: NeuronArrays, x: Float32Array, from: number, to: number): number {
  const { v, i, gain, leak, resistance, synapse, inputWeight } = n;
  let check = 0;
  for (let k = from; k < to; k += 1) {
    let current = i[k]!;
    current = fround(current + fround(synapse[k]! * fround(fround(inputWeight[k]! * x[k]!) - current)));
    i[k] = current;
    let u = v[k]!;
    u = fround(u + fround(gain[k]! * fround(fround(leak[k]! - u) + fround(resistance[k]! * current))));
    check += current - current + (u - u);
    v[k] = u;
  }
  return check === 0 ? 0 : -1;
}

export function scale(y: Float32Array, factor: Float32Array, x: Float32Array, from: number, to: number): void {
  for (let k = from; k < to; k += 1) y[k] = factor[k]! * x[k]!;
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

export function isFinite32(values: Float32Array): boolean {
  let check = 0;
  for (let k = 0; k < values.length; k += 1) check += values[k]! - values[k]!;
  return check === 0;
}

/** Lists the elements that are not 0, and their values; -0 is 0. */
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
