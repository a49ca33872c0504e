// The share of a leaky state that decays in one step (proto/NUMERICS.md, "Decay").

/** From here on, 1 − exp(−x) rounds to 1. */
const ONE = 40;
/** Below, it rounds to x. */
const LINEAR = 2 ** -60;
const TERMS = 12;
const DOUBLINGS = 12;

/** A number as the sum of two, larger part first: about 104 bits. */
type Pair = readonly [number, number];

/** Exact where |a| ≥ |b|. */
function fastSum(a: number, b: number): Pair {
  const sum = a + b;
  return [sum, b - (sum - a)];
}

/** Exact: the difference and its rounding error. */
function exactDifference(a: number, b: number): Pair {
  const difference = a - b;
  const subtracted = a - difference;
  return [difference, a - (difference + subtracted) + (subtracted - b)];
}

/** Splits into the upper 26 bits and the rest (Veltkamp). */
function split(a: number): Pair {
  const scaled = 134217729 * a;
  const high = scaled - (scaled - a);
  return [high, a - high];
}

/** Exact: the product and its rounding error (Dekker). */
function exactProduct(a: number, b: number): Pair {
  const product = a * b;
  const [aHigh, aLow] = split(a);
  const [bHigh, bLow] = split(b);
  return [product, aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow];
}

function times(a: Pair, b: Pair): Pair {
  const [product, error] = exactProduct(a[0], b[0]);
  return fastSum(product, error + (a[0] * b[1] + a[1] * b[0]));
}

function dividedBy(a: Pair, b: number): Pair {
  const quotient = a[0] / b;
  const [product, error] = exactProduct(quotient, b);
  return fastSum(quotient, (a[0] - product - error + a[1]) / b);
}

function minus(a: number, b: Pair): Pair {
  const [difference, error] = exactDifference(a, b[0]);
  return fastSum(difference, error - b[1]);
}

/** 1 − exp(−x) for x > 0, rounded to binary64. `Math.exp` is not used: engines differ in its last bit. */
export function exponentialDecay(x: number): number {
  if (!(x < ONE)) return 1;
  if (x < LINEAR) return x;
  const z: Pair = [x * 2 ** -DOUBLINGS, 0];
  let sum: Pair = [1, 0];
  for (let n = TERMS; n >= 2; n -= 1) sum = minus(1, dividedBy(times(sum, z), n));
  let decay = times(sum, z);
  for (let k = 0; k < DOUBLINGS; k += 1) decay = times(decay, minus(2, decay));
  return decay[0];
}
