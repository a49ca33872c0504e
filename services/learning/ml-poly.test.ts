import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { randomOf } from '../../test/support/learning.ts';
import { MlPoly } from './ml-poly.ts';

interface Vector {
  losses: number[][];
  /** Before each round and after the last one. */
  weights: number[][];
}

const VECTORS = join(import.meta.dirname, '../../test/learning/ml-poly-vectors.json');
const vectors = JSON.parse(readFileSync(VECTORS, 'utf8')) as Vector[];

describe('MlPoly weights', () => {
  it('equal those of exact arithmetic (test/learning/ml_poly.py)', () => {
    for (const { losses, weights } of vectors) {
      const poly = new MlPoly(losses[0]!.length);
      const present = losses[0]!.map(() => true);
      const own = [poly.weights(present)];
      for (const row of losses) {
        poly.learn(row);
        own.push(poly.weights(present));
      }
      own.flat().forEach((weight, at) => expect(weight).toBeCloseTo(weights.flat()[at]!, 12));
    }
  });

  it('are 0 for absent teachers, and the others sum to 1', () => {
    const poly = new MlPoly(3);
    for (let n = 0; n < 20; n += 1) poly.learn([0.1, 0.3, 0.9]);
    const weights = poly.weights([false, true, true]);
    expect([weights[0], weights[1]! + weights[2]!]).toEqual([0, 1]);
  });

  it('converge to the best teacher', () => {
    const poly = new MlPoly(3);
    for (let n = 0; n < 200; n += 1) poly.learn([0.5, 0.1, 0.9]);
    expect(poly.weights([true, true, true])[1]).toBe(1);
  });
});

describe('MlPoly regret', () => {
  /** Losses of teacher k in round n: random, adversarial, switching or sometimes absent. */
  const sequences: Record<string, (random: () => number, n: number, k: number, poly: MlPoly) => number | undefined> = {
    random: (random) => random(),
    adversarial: (_random, _n, k, poly) => (poly.regrets[k] === Math.max(...poly.regrets) ? 1 : 0),
    switching: (random, n, k) => (Math.floor(n / 50) % 4 === k ? random() / 4 : 1),
    absent: (random, _n, k) => (random() < 0.5 ? undefined : (random() + k) / 4),
  };

  it.each(Object.keys(sequences))('stays below its bound for %s losses with 100 seeds', (name) => {
    const above: string[] = [];
    for (let seed = 0; seed < 100; seed += 1) {
      const random = randomOf(seed);
      const poly = new MlPoly(4);
      for (let n = 0; n < 200; n += 1) {
        poly.learn([0, 1, 2, 3].map((k) => sequences[name]!(random, n, k, poly)));
        for (let k = 0; k < 4; k += 1) if (!(poly.regrets[k]! <= poly.bound(k))) above.push(`seed ${seed}, round ${n}`);
      }
    }
    expect(above).toEqual([]);
  });
});
