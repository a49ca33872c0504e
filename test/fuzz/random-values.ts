// Ordinary and difficult numbers: zeros of both signs, subnormals, extremes.
import type { Values } from '../support/nir-writer.ts';
import type { Random } from './random.ts';

const SPECIAL = [0, -0, 1e-40, -1e-45, 1.1754942e-38, 1e-30, 1, -1, 16777217];
const EXTREME = [1e38, -1e38, 3.4e38];

/** How wild a case is: most are tame, so that they run to the end; some are not, so that they fail, on both alike. */
export interface Temper {
  readonly special: number;
  readonly extreme: number;
}

export function pickTemper(random: Random): Temper {
  return random.pick([
    { special: 0, extreme: 0 },
    { special: 0.05, extreme: 0 },
    { special: 0.3, extreme: 0 },
    { special: 0.05, extreme: 0.004 },
  ]);
}

export function wild(random: Random, temper: Temper, tame: () => number): number {
  if (random.chance(temper.extreme)) return random.pick(EXTREME);
  return random.chance(temper.special) ? random.pick(SPECIAL) : tame();
}

/** A parameter of a node of `size` elements: one value for all or one for each, in single or double precision. */
export function vector(random: Random, size: number, make: () => number): Values {
  const dtype = random.pick(['float32', 'float64'] as const);
  if (random.chance(0.25)) return { shape: random.pick([[], [1], [1, 1]]), values: [make()], dtype };
  return { shape: factor(random, size), values: random.list(size, make), dtype, gzip: random.chance(0.1) };
}

/** Dimensions whose product is `size`. */
export function factor(random: Random, size: number): number[] {
  const divisors = [2, 3, 5].filter((divisor) => size % divisor === 0);
  if (divisors.length === 0 || random.chance(0.6)) return [size];
  const divisor = random.pick(divisors);
  return random.shuffled([divisor, size / divisor]);
}

/** The values of one input step. */
export function inputValues(random: Random, length: number, temper: Temper): Float32Array {
  const style = random.pick(['dense', 'spikes', 'sparse', 'mixed', 'zeros', 'special'] as const);
  const amplitude = random.pick([0.3, 1, 5]);
  const one = (): number => {
    if (style === 'zeros') return random.pick([0, -0]);
    if (style === 'spikes') return random.chance(0.3) ? 1 : 0;
    // Spikes beside other values: the engines add a spike's weights without multiplying.
    if (style === 'mixed' && random.chance(0.7)) return random.chance(0.6) ? 1 : 0;
    if (style === 'sparse' && random.chance(0.8)) return 0;
    if (style === 'special' && random.chance(0.3)) return random.pick(SPECIAL);
    return wild(random, { special: 0, extreme: temper.extreme }, () => random.between(-amplitude, amplitude));
  };
  return Float32Array.from({ length }, one);
}
