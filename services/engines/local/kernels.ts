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

/**
 * Adds to every output, in ascending order of source, the weights of the listed sources times their values. Four columns
 * a pass, so that a sum stays in a register; each is still rounded and added on its own.
 */
export function addColumns(
  y: Float32Array,
  weight: Float32Array,
  at: Int32Array,
  values: Float32Array,
  from: number,
  to: number,
): void {
  const n = y.length;
  let e = from;
  for (; e + 3 < to; e += 4) {
    const c0 = at[e]! * n;
    const c1 = at[e + 1]! * n;
    const c2 = at[e + 2]! * n;
    const c3 = at[e + 3]! * n;
    const x0 = values[e]!;
    const x1 = values[e + 1]!;
    const x2 = values[e + 2]!;
    const x3 = values[e + 3]!;
    for (let o = 0; o < n; o += 1) {
      let sum = fround(y[o]! + fround(weight[c0 + o]! * x0));
      sum = fround(sum + fround(weight[c1 + o]! * x1));
      sum = fround(sum + fround(weight[c2 + o]! * x2));
      y[o] = sum + fround(weight[c3 + o]! * x3);
    }
  }
  for (; e < to; e += 1) {
    const column = at[e]! * n;
    const x = values[e]!;
    for (let o = 0; o < n; o += 1) y[o] = y[o]! + fround(weight[column + o]! * x);
  }
}

/** `addColumns` for spikes, whose value is 1: a weight times 1 is the weight. */
export function addSpikeColumns(y: Float32Array, weight: Float32Array, at: Int32Array, from: number, to: number): void {
  const n = y.length;
  let e = from;
  for (; e + 3 < to; e += 4) {
    const c0 = at[e]! * n;
    const c1 = at[e + 1]! * n;
    const c2 = at[e + 2]! * n;
    const c3 = at[e + 3]! * n;
    for (let o = 0; o < n; o += 1) {
      let sum = fround(y[o]! + weight[c0 + o]!);
      sum = fround(sum + weight[c1 + o]!);
      sum = fround(sum + weight[c2 + o]!);
      y[o] = sum + weight[c3 + o]!;
    }
  }
  for (; e < to; e += 1) {
    const column = at[e]! * n;
    for (let o = 0; o < n; o += 1) y[o] = y[o]! + weight[column + o]!;
  }
}
