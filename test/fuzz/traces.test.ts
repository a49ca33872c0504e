import { describe, expect, it } from '@jest/globals';
import { compareTraces } from './compare-traces.ts';
import { generate } from './generate.ts';

const CASES = 120;

describe('traces of random networks', () => {
  it('are equal to the bit on both engines, node by node and step by step', async () => {
    const tally = await compareTraces(Array.from({ length: CASES }, (_, n) => generate(3_000_000 + n)));
    expect(tally.differences).toEqual([]);
    expect(tally.traced).toBeGreaterThan(CASES);
    expect(tally.ended).toBeGreaterThan(0);
  }, 120_000);
});
