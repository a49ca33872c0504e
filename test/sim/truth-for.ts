// The correct answer to a request, with or without a session.
import type { SentRequest } from './attempts.ts';
import type { SchedulePlan } from './plan.ts';
import { goOn } from './session-truth.ts';
import { type Said, refusalOf, truthOf } from './truth.ts';

const NOTHING = new Uint8Array(0);

export function truthFor(
  plan: SchedulePlan,
  { plan: { input, session }, before }: Pick<SentRequest, 'plan' | 'before'>,
): Said {
  if (session === undefined) return truthOf(plan, input);
  return plan.refused.includes(input) ? refusalOf(input) : goOn(input, before ?? NOTHING);
}
