// A small, seeded part of `npm run test:fuzz`.
import { describe, expect, it } from '@jest/globals';
import { compareCases } from './compare.ts';
import type { Tally } from './compare.ts';
import { INPUTS_A_CASE, generate } from './generate.ts';

const PAIRS = 500;

describe('random networks', () => {
  it('are a function of their seed', () => {
    expect(generate(42)).toEqual(generate(42));
  });

  it(`give the same bits on both engines, in ${PAIRS} pairs of network and input`, async () => {
    const tally: Tally = { pairs: 0, failed: 0, refused: 0, differences: [] };
    const cases = Array.from({ length: PAIRS / INPUTS_A_CASE }, (_, n) => generate(2_000_000 + n));
    await compareCases(cases, tally);
    expect(tally.differences.map(({ fuzzCase: { seed }, local, sidecar }) => ({ seed, local, sidecar }))).toEqual([]);
    expect(tally.pairs).toBe(PAIRS);
  }, 120_000);
});
