import { describe, expect, it } from '@jest/globals';
import { fakeInference } from '../../test/fakes/fake-engine.ts';
import { sizeOf } from './answer.ts';

/** The size of an answer of so many classes. */
function sizeWith(classes: number): number {
  const list = Array<number>(classes).fill(0);
  const inference = fakeInference({ spikeCounts: list, potentials: new Uint8Array(4 * classes) });
  return sizeOf({ scores: list, inference, ballots: [], isFirm: true });
}

describe('sizeOf', () => {
  it('counts a score, spikes and a potential for each class, in memory and encoded', () => {
    expect(sizeWith(1_001) - sizeWith(1)).toBe(1_000 * 3 * (8 + 5));
  });
});
