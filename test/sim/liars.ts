// How much harm the liars of a schedule can do together.
import { forModel } from '../../services/routing/vote-policy.ts';
import { needed } from '../../services/voting/policy.ts';
import type { SchedulePlan } from './plan.ts';

export function liars({ engines }: SchedulePlan): number {
  return engines.filter(({ lie }) => lie !== undefined).length;
}

/** How many may give one and the same wrong answer. */
export function coalition(plan: SchedulePlan): number {
  // There are few labels: by LABEL or TOLERANCE different lies may agree.
  return plan.areAlike || plan.vote.compare !== 'EXACT' ? liars(plan) : Math.min(1, liars(plan));
}

/** Neither in a vote nor in an audit, which asks until two agree, can they be the majority. */
export function areFew(plan: SchedulePlan): boolean {
  const least = needed(forModel(plan.vote, undefined));
  return coalition(plan) < Math.min(least, plan.vote.audit_rate > 0 ? 2 : Infinity);
}
