// What a request wants of a vote, from the proto's words.
import { RouterError } from '../core/errors.ts';
import { VoteAgreement, VoteCompare, VoteFallback, VoteMode } from '../generated/tandem/v1/types.ts';
import type { VotePolicy as VotePolicyMessage } from '../generated/tandem/v1/reasoning.ts';
import type { VotePolicy } from '../voting/policy.ts';

/** Only what is set. Throws INVALID_FIELD for a number that no word stands for. */
export function toVotePolicy(message: VotePolicyMessage | undefined): Partial<VotePolicy> | undefined {
  if (message === undefined) return undefined;
  const { participants, distinctKinds, agreement, mode, compare, onDispute, onFew } = message;
  const wanted: Partial<VotePolicy> = {
    ...(participants === 0 ? {} : { participants }),
    ...(distinctKinds === 0 ? {} : { distinctKinds }),
    ...pick('agreement', agreement, {
      [VoteAgreement.VOTE_AGREEMENT_MAJORITY]: { agreement: { kind: 'MAJORITY' } },
      [VoteAgreement.VOTE_AGREEMENT_UNANIMOUS]: { agreement: { kind: 'UNANIMOUS' } },
      [VoteAgreement.VOTE_AGREEMENT_COUNT]: { agreement: { kind: 'COUNT', count: message.agreementCount } },
    }),
    ...pick('mode', mode, {
      [VoteMode.VOTE_MODE_PARALLEL]: { mode: 'PARALLEL' },
      [VoteMode.VOTE_MODE_STAGED]: { mode: 'STAGED' },
    }),
    ...pick('compare', compare, {
      [VoteCompare.VOTE_COMPARE_EXACT]: { compare: { kind: 'EXACT' } },
      [VoteCompare.VOTE_COMPARE_TOLERANCE]: { compare: { kind: 'TOLERANCE', tolerance: message.tolerance } },
      [VoteCompare.VOTE_COMPARE_LABEL]: { compare: { kind: 'LABEL' } },
    }),
    ...pick('on_dispute', onDispute, {
      [VoteFallback.VOTE_FALLBACK_FAIL]: { onDispute: 'FAIL' },
      [VoteFallback.VOTE_FALLBACK_ACCEPT]: { onDispute: 'ACCEPT_PLURALITY' },
    }),
    ...pick('on_few', onFew, {
      [VoteFallback.VOTE_FALLBACK_FAIL]: { onFew: 'FAIL' },
      [VoteFallback.VOTE_FALLBACK_ACCEPT]: { onFew: 'ACCEPT_DEGRADED' },
    }),
  };
  return wanted;
}

/** 0 is the unspecified value of every enum. */
function pick(field: string, value: number, known: Readonly<Record<number, Partial<VotePolicy>>>): Partial<VotePolicy> {
  const found = value === 0 ? {} : known[value];
  if (found !== undefined) return found;
  const message = `vote.${field} ${value} is not known; send one of ${Object.keys(known).join(', ')}, or 0`;
  throw new RouterError('INVALID_FIELD', message, { field: `vote.${field}` });
}
