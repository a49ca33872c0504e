import { describe, expect, it } from '@jest/globals';
import { thrownBy } from '../../test/fakes/call-method.ts';
import { VotePolicy } from '../generated/tandem/v1/reasoning.ts';
import { VoteAgreement, VoteCompare, VoteFallback, VoteMode } from '../generated/tandem/v1/types.ts';
import { toVotePolicy } from './vote-policy.ts';

const read = (over: Partial<VotePolicy>): unknown => toVotePolicy(VotePolicy.fromPartial(over));

describe('toVotePolicy', () => {
  it('returns undefined if the request has none', () => {
    expect(toVotePolicy(undefined)).toBeUndefined();
  });

  it.each<[Partial<VotePolicy>, object]>([
    [{}, {}],
    [{ participants: 1 }, { participants: 1 }],
    [{ distinctKinds: 1 }, { distinctKinds: 1 }],
    [{ agreement: VoteAgreement.VOTE_AGREEMENT_MAJORITY }, { agreement: { kind: 'MAJORITY' } }],
    [{ agreement: VoteAgreement.VOTE_AGREEMENT_UNANIMOUS }, { agreement: { kind: 'UNANIMOUS' } }],
    [{ agreement: VoteAgreement.VOTE_AGREEMENT_COUNT, agreementCount: 2 }, { agreement: { kind: 'COUNT', count: 2 } }],
    [{ mode: VoteMode.VOTE_MODE_PARALLEL }, { mode: 'PARALLEL' }],
    [{ mode: VoteMode.VOTE_MODE_STAGED }, { mode: 'STAGED' }],
    [{ compare: VoteCompare.VOTE_COMPARE_EXACT }, { compare: { kind: 'EXACT' } }],
    [
      { compare: VoteCompare.VOTE_COMPARE_TOLERANCE, tolerance: 0.5 },
      { compare: { kind: 'TOLERANCE', tolerance: 0.5 } },
    ],
    [{ compare: VoteCompare.VOTE_COMPARE_LABEL }, { compare: { kind: 'LABEL' } }],
    [{ onDispute: VoteFallback.VOTE_FALLBACK_FAIL }, { onDispute: 'FAIL' }],
    [{ onDispute: VoteFallback.VOTE_FALLBACK_ACCEPT }, { onDispute: 'ACCEPT_PLURALITY' }],
    [{ onFew: VoteFallback.VOTE_FALLBACK_FAIL }, { onFew: 'FAIL' }],
    [{ onFew: VoteFallback.VOTE_FALLBACK_ACCEPT }, { onFew: 'ACCEPT_DEGRADED' }],
  ])('has only the fields that are set: %j', (message, wish) => {
    expect(read(message)).toEqual(wish);
  });

  it.each(['agreement', 'mode', 'compare', 'onDispute', 'onFew'])('refuses an unknown number of %s', (name) => {
    const field = `vote.${name.replace(/[DF]/, (letter) => `_${letter.toLowerCase()}`)}`;
    expect(thrownBy(() => read({ [name]: 9 }))).toMatchObject({
      kind: 'INVALID_FIELD',
      message: expect.stringMatching(new RegExp(`^${field} 9 is not known; send one of 1, 2(, 3)?, or 0$`)) as unknown,
      violation: { field },
    });
  });
});
