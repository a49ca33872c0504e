// How much harm the liars of a schedule can do together.
import { forModel } from '../../services/routing/vote-policy.ts';
import { needed } from '../../services/voting/policy.ts';
import type { SchedulePlan } from './plan.ts';

/** Processes: one that is registered twice is one liar. */
export function liars({ engines }: SchedulePlan): number {
  return new Set(engines.filter(({ lie }) => lie !== undefined).map(({ process }) => process)).size;
}

/** How many may give one and the same wrong answer. */
export function coalition(plan: SchedulePlan): number {
  // There are few labels: by LABEL or TOLERANCE different lies may agree.
  return plan.areAlike || plan.vote.compare !== 'EXACT' ? liars(plan) : Math.min(1, liars(plan));
}

/** Neither in a vote nor in an audit, which asks until two agree, can they be the majority. */
export function areFew(plan: SchedulePlan): boolean {
  const policy = forModel(plan.vote, undefined);
  // Who is wrong in a vote is said by more than half, in an audit where need be.
  const least = Math.min(needed(policy), Math.floor(Math.max(3, policy.participants) / 2) + 1);
  return coalition(plan) < Math.min(least, hasAudits(plan) ? 2 : Infinity);
}

/** By their share, or because one engine answered what another one refused. */
function hasAudits({ vote, engines, refused }: SchedulePlan): boolean {
  return vote.audit_rate > 0 || refused.length > 0 || engines.some(({ lie }) => lie === 'REFUSE');
}
