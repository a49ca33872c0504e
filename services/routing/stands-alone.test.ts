import { describe, expect, it } from '@jest/globals';
import type { BallotOutcome } from '../voting/verdict.ts';
import { standsAlone } from './stands-alone.ts';

/** An answer of `engine`, with the outcomes of the others. */
function answerOf(id: string, others: Record<string, BallotOutcome> = {}): Parameters<typeof standsAlone>[0] {
  const rest = { stateDigest: 1n, readoutDigest: 1n, why: '', durationMs: 1, recordingId: 0n };
  const ballots = Object.entries(others).map(([engineId, outcome]) => ({ engineId, outcome, ...rest }));
  return { engine: { id }, ballots };
}

const isLiar = (id: string): boolean => id.startsWith('liar');

describe('standsAlone', () => {
  it.each([
    ['of one untrusted engine without a vote', answerOf('liar')],
    ['with which no engine agreed', answerOf('liar', { liar: 'AGREED', honest: 'DISSENTED', other: 'ABSENT' })],
    [
      'with which only untrusted engines agreed',
      answerOf('liar 1', { 'liar 1': 'AGREED', 'liar 2': 'AGREED', honest: 'DISSENTED' }),
    ],
  ])('is true for an answer %s', (_, answer) => {
    expect(standsAlone(answer, isLiar)).toBe(true);
  });

  it.each([
    ['of a trusted engine', answerOf('honest')],
    ['with which a trusted engine agreed', answerOf('liar', { liar: 'AGREED', honest: 'AGREED' })],
  ])('is false for an answer %s', (_, answer) => {
    expect(standsAlone(answer, isLiar)).toBe(false);
  });
});
