// Reads a request's vote policy from the proto message.
import { RouterError } from '../core/errors.ts';
import { VoteAgreement, VoteCompare, VoteFallback, VoteMode } from '../generated/tandem/v1/types.ts';
import type { VotePolicy as VotePolicyMessage } from '../generated/tandem/v1/reasoning.ts';
import type { VotePolicy } from '../voting/policy.ts';

type Wish = Partial<VotePolicy>;
/** The meaning of each enum number. */
type Words = Readonly<Record<number, (message: VotePolicyMessage) => Wish>>;

const AGREEMENTS: Words = {
  [VoteAgreement.VOTE_AGREEMENT_MAJORITY]: () => ({ agreement: { kind: 'MAJORITY' } }),
  [VoteAgreement.VOTE_AGREEMENT_UNANIMOUS]: () => ({ agreement: { kind: 'UNANIMOUS' } }),
  [VoteAgreement.VOTE_AGREEMENT_COUNT]: ({ agreementCount: count }) => ({ agreement: { kind: 'COUNT', count } }),
};
const MODES: Words = {
  [VoteMode.VOTE_MODE_PARALLEL]: () => ({ mode: 'PARALLEL' }),
  [VoteMode.VOTE_MODE_STAGED]: () => ({ mode: 'STAGED' }),
};
const COMPARES: Words = {
  [VoteCompare.VOTE_COMPARE_EXACT]: () => ({ compare: { kind: 'EXACT' } }),
  [VoteCompare.VOTE_COMPARE_TOLERANCE]: ({ tolerance }) => ({ compare: { kind: 'TOLERANCE', tolerance } }),
  [VoteCompare.VOTE_COMPARE_LABEL]: () => ({ compare: { kind: 'LABEL' } }),
};
const ON_DISPUTE: Words = {
  [VoteFallback.VOTE_FALLBACK_FAIL]: () => ({ onDispute: 'FAIL' }),
  [VoteFallback.VOTE_FALLBACK_ACCEPT]: () => ({ onDispute: 'ACCEPT_PLURALITY' }),
};
const ON_FEW: Words = {
  [VoteFallback.VOTE_FALLBACK_FAIL]: () => ({ onFew: 'FAIL' }),
  [VoteFallback.VOTE_FALLBACK_ACCEPT]: () => ({ onFew: 'ACCEPT_DEGRADED' }),
};

/** Only the fields that are set. Throws INVALID_FIELD for an unknown enum number. */
export function toVotePolicy(message: VotePolicyMessage | undefined): Wish | undefined {
  if (message === undefined) return undefined;
  const { participants, distinctKinds } = message;
  return {
    ...(participants === 0 ? {} : { participants }),
    ...(distinctKinds === 0 ? {} : { distinctKinds }),
    ...pick('agreement', message.agreement, AGREEMENTS, message),
    ...pick('mode', message.mode, MODES, message),
    ...pick('compare', message.compare, COMPARES, message),
    ...pick('on_dispute', message.onDispute, ON_DISPUTE, message),
    ...pick('on_few', message.onFew, ON_FEW, message),
  };
}

/** 0 is the unspecified value of every enum. */
function pick(field: string, value: number, words: Words, message: VotePolicyMessage): Wish | undefined {
  if (value === 0) return undefined;
  const wish = words[value];
  if (wish !== undefined) return wish(message);
  const advice = `vote.${field} ${value} is not known; send one of ${Object.keys(words).join(', ')}, or 0`;
  throw new RouterError('INVALID_FIELD', advice, { field: `vote.${field}` });
}
