import { describe, expect, it } from '@jest/globals';
import { fakeInference } from '../../test/fakes/fake-engine.ts';
import { HandDriven } from '../../test/fakes/hand-driven.ts';
import { type Voter, newVoter, recordAnswer, toBallot } from './ballot.ts';

const STARTED_AGO_MS = 60_000;

function askedLongAgo(): Voter<HandDriven> {
  return { ...newVoter(new HandDriven('a')), startedMs: performance.now() - STARTED_AGO_MS };
}

describe('toBallot', () => {
  it('measures the duration until the engine’s answer', () => {
    const voter = askedLongAgo();
    recordAnswer(voter, fakeInference());
    voter.durationMs -= 1_000; // the vote ended a second later
    expect(toBallot(voter, 'AGREED').durationMs).toBe(voter.durationMs);
  });

  it('measures the duration until now if the engine did not answer', () => {
    expect(toBallot(askedLongAgo(), 'ABSENT').durationMs).toBeGreaterThanOrEqual(STARTED_AGO_MS);
  });
});
