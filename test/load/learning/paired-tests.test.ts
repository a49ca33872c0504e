import { describe, expect, it } from '@jest/globals';
import { correctedTTest, mcNemar, studentP } from './paired-tests.ts';

describe('paired tests', () => {
  // Of scipy.stats.t.sf(t, freedom) * 2.
  it.each([
    [1, 1, 0.5],
    [12.706, 1, 0.05],
    [4.303, 2, 0.05],
    [2.228, 10, 0.05],
    [2.626, 99, 0.01],
    [-2.626, 99, 0.01],
  ])('know Student’s t: %d with %d degrees of freedom', (t, freedom, p) => {
    expect(studentP(t, freedom)).toBeCloseTo(p, 4);
  });

  it('correct for training rows that the runs share', () => {
    const differences = [0.02, 0.04, 0.03, 0.05, 0.01];
    // t of independent runs: 0.03 / sqrt(0.00025 / 5) = 4.243; corrected: 0.03 / sqrt((1/5 + 1/4) · 0.00025) = 2.828
    expect(correctedTTest(differences, 0).p).toBeCloseTo(studentP(4.2426, 4), 4);
    expect(correctedTTest(differences, 1 / 4)).toEqual({
      mean: expect.closeTo(0.03, 10),
      p: expect.closeTo(0.0474, 3),
    });
  });

  it('know McNemar’s exact p', () => {
    expect(mcNemar(5, 5)).toBe(1);
    expect(mcNemar(10, 0)).toBeCloseTo(2 / 1024, 10);
    expect(mcNemar(2, 8)).toBeCloseTo(0.109375, 6);
  });
});
