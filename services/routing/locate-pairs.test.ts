import { describe, expect, it } from '@jest/globals';
import type { CastBallot } from './dispute.ts';
import { pairOf } from './locate-pairs.ts';

/** `digest`: its answer; undefined: it refused for `why`. */
function ballot(
  engineId: string,
  outcome: CastBallot['outcome'],
  digest?: bigint,
  over: Partial<CastBallot> = {},
): CastBallot {
  const digests = { stateDigest: digest, readoutDigest: digest };
  return { engineId, outcome, ...digests, why: '', durationMs: 1, recordingId: 1n, ...over };
}

/** The ids of dissenters and of those that agree. */
function idsOf(ballots: readonly CastBallot[], wrong: readonly string[] = []): [string, string, boolean] {
  const { dissenters, agreeing, isCertain } = pairOf({ ballots, wrong });
  const ids = (all: readonly CastBallot[]): string => all.map(({ engineId }) => engineId).join('');
  return [ids(dissenters), ids(agreeing), isCertain];
}

const unrecorded = { recordingId: 0n };

describe('pairOf', () => {
  it('compares the dissenters with those that agreed, first those with a recording', () => {
    const ballots = [
      ballot('a', 'AGREED', 1n, unrecorded),
      ballot('b', 'DISSENTED', 2n),
      ballot('c', 'AGREED', 1n),
      ballot('d', 'ABSENT'),
    ];
    expect([idsOf(ballots), idsOf(ballots, ['b'])]).toEqual([
      ['b', 'ca', false],
      ['b', 'ca', true],
    ]);
  });

  it('takes four of each at most', () => {
    const named = (ids: string, outcome: CastBallot['outcome'], digest: bigint): CastBallot[] =>
      ids.split('').map((id) => ballot(id, outcome, digest));
    expect(idsOf([...named('abcde', 'AGREED', 1n), ...named('vwxyz', 'DISSENTED', 2n)])).toEqual([
      'vwxy',
      'abcd',
      false,
    ]);
  });

  it('compares the first two answers if none has won', () => {
    const ballots = [
      ballot('a', 'DISSENTED', 1n),
      ballot('b', 'DISSENTED', 2n, unrecorded),
      ballot('c', 'DISSENTED', 1n),
      ballot('d', 'DISSENTED', 2n),
      ballot('e', 'DISSENTED', 3n),
    ];
    expect(idsOf(ballots, ['e'])).toEqual(['d', 'ac', false]);
  });

  it('takes refusals for different reasons for different answers', () => {
    const ballots = [
      ballot('a', 'DISSENTED', undefined, { why: 'NON_FINITE, step 3' }),
      ballot('b', 'DISSENTED', undefined, { why: 'NON_FINITE, step 4' }),
    ];
    expect(idsOf(ballots)).toEqual(['b', 'a', false]);
  });

  it('has no pair of one answer, or of none', () => {
    expect([idsOf([ballot('a', 'DISSENTED', 1n)]), idsOf([])]).toEqual([
      ['', 'a', false],
      ['', '', false],
    ]);
  });
});
