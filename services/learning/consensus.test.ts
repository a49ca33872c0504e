import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { consensus, normalized } from './consensus.ts';

describe('consensus', () => {
  it('is the weighted mean of the scores', () => {
    const { scores, labelIndex, confidence } = consensus(
      [
        [1, 0],
        [0.2, 0.8],
      ],
      [0.25, 0.75],
    );
    expect([scores[0], labelIndex]).toEqual([0.25 + 0.75 * 0.2, 1]);
    expect(confidence).toBeCloseTo(0.6, 12);
  });

  it('prefers the first label if the scores are equal', () => {
    expect(consensus([[0.5, 0.5]], [1]).labelIndex).toBe(0);
  });
});

describe('the disagreement', () => {
  const of = (scores: number[][], weights = normalized(scores.map(() => 1))) => consensus(scores, weights).disagreement;

  it('of equal scores is 0', () =>
    expect(
      of([
        [0.3, 0.7],
        [0.3, 0.7],
      ]),
    ).toBe(0));

  it('of two teachers that are certain of different labels is 1', () =>
    expect(
      of([
        [1, 0, 0],
        [0, 1, 0],
      ]),
    ).toBe(1));

  it('of more teachers than labels is 1 if they are evenly split', () => {
    expect(
      of([
        [1, 0],
        [0, 1],
        [1, 0],
        [0, 1],
      ]),
    ).toBeCloseTo(1, 12);
  });

  it('of one teacher is 0', () => expect(of([[0.9, 0.1]])).toBe(0));

  it('ignores teachers without weight', () => {
    expect(
      of(
        [
          [1, 0],
          [1, 0],
          [0, 1],
        ],
        [0.5, 0.5, 0],
      ),
    ).toBe(0);
  });

  it('of two equally weighted teachers is the Jensen-Shannon divergence in bits', () => {
    // Computed from the definition in Python.
    expect(
      of([
        [0.9, 0.1],
        [0.4, 0.6],
      ]),
    ).toBeCloseTo(0.21409496135351602, 12);
  });

  it('is between 0 and 1 for any scores and weights', () => {
    const positive = fc.double({ min: 0, max: 1, noNaN: true });
    const row = fc.array(positive, { minLength: 3, maxLength: 3 }).map(normalized);
    const cases = fc.array(fc.tuple(row, positive), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(cases, (teachers) => {
        const value = of(
          teachers.map(([scores]) => scores),
          normalized(teachers.map(([, weight]) => weight)),
        );
        expect(value >= 0 && value <= 1).toBe(true);
      }),
    );
  });
});
