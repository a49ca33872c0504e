import { describe, expect, it } from '@jest/globals';
import type { BallotOutcome } from '../voting/verdict.ts';
import { standsAlone } from './stands-alone.ts';

/** An answer of `engine`, and what the others said. */
function answerOf(id: string, others: Record<string, BallotOutcome> = {}): Parameters<typeof standsAlone>[0] {
  const rest = { stateDigest: 1n, readoutDigest: 1n, why: '', durationMs: 1, recordingId: 0n };
  const ballots = Object.entries(others).map(([engineId, outcome]) => ({ engineId, outcome, ...rest }));
  return { engine: { id }, ballots };
}

const isLiar = (id: string): boolean => id.startsWith('liar');

describe('an answer that no trusted engine stands behind', () => {
  it.each([
    ['that one engine gave without a vote', answerOf('liar')],
    ['with which nobody agreed', answerOf('liar', { liar: 'AGREED', honest: 'DISSENTED', other: 'ABSENT' })],
    ['with which liars agreed', answerOf('liar 1', { 'liar 1': 'AGREED', 'liar 2': 'AGREED', honest: 'DISSENTED' })],
  ])('is one %s', (_, answer) => {
    expect(standsAlone(answer, isLiar)).toBe(true);
  });

  it.each([
    ['that a trusted engine gave', answerOf('honest')],
    ['with which a trusted engine agreed', answerOf('liar', { liar: 'AGREED', honest: 'AGREED' })],
  ])('is none %s', (_, answer) => {
    expect(standsAlone(answer, isLiar)).toBe(false);
  });
});
