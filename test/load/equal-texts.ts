// Texts through two engines of different kinds: the router's own simulator and a C++ sidecar must give the same bits.
import type { ReasonRequest } from '../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode, Grade, gradeToJSON, Strategy, VoteAgreement } from '../../services/generated/tandem/v1/types.ts';
import type { System } from '../support/system.ts';

const AT_ONCE = 32;

export interface Compared {
  readonly texts: number;
  readonly equal: number;
  /** The first text without a unanimous answer, with the reason. */
  readonly firstOther: string;
}

/** For a system of two engines whose setting vote.participants is 2. A text without any token is left out. */
export async function compareTexts(system: System, texts: readonly string[]): Promise<Compared> {
  const request = (text: string): Partial<ReasonRequest> => ({
    ...{ text, model: 'supersense-text', cache: CacheMode.CACHE_MODE_BYPASS },
    strategy: Strategy.STRATEGY_REDUNDANT,
    vote: {
      ...{ participants: 0, agreement: VoteAgreement.VOTE_AGREEMENT_UNANIMOUS, agreementCount: 0, tolerance: 0 },
      ...{ mode: 0, compare: 0, distinctKinds: 2, onDispute: 0, onFew: 0 },
    },
  });
  let next = 0;
  let equal = 0;
  let sent = 0;
  let firstOther = '';
  const lane = async (): Promise<void> => {
    for (let text = texts[next++]; text !== undefined; text = texts[next++]) {
      try {
        const { grade } = await system.reason(request(text));
        sent += 1;
        if (grade === Grade.GRADE_UNANIMOUS) equal += 1;
        else firstOther ||= `${JSON.stringify(text)}: grade ${gradeToJSON(grade)}`;
      } catch (error) {
        if ((error as Error).message.includes('the text has no words')) continue;
        sent += 1;
        firstOther ||= `${JSON.stringify(text)}: ${(error as Error).message}`;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return { texts: sent, equal, firstOther };
}
