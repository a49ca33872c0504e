// A seeded share of what `npm run test:fuzz -- --sessions N` does at length.
import { describe, expect, it } from '@jest/globals';
import { BEST, EVERY_STEP, RANDOM_PIECES, compareSessions, emptySessionTally } from './compare-sessions.ts';
import { generate } from './generate.ts';

const CASES = 80;

describe('a session that moves between engines', () => {
  it.each([
    ['in random pieces', RANDOM_PIECES, CASES],
    ['at each of 256 steps', EVERY_STEP, 8],
  ])(
    'ends in the bits of the whole run, %s',
    async (_, plan, count) => {
      const tally = emptySessionTally();
      const cases = Array.from({ length: count }, (__, n) => generate(5_000_000 + n));
      await compareSessions(cases, plan, ['scalar', BEST], tally);
      expect(tally.differences).toEqual([]);
      expect(tally.compared).toBeGreaterThan(count / 4);
    },
    120_000,
  );
});
