// What the lying engines of a schedule can achieve together.
import { forModel } from '../../services/routing/vote-policy.ts';
import { needed } from '../../services/voting/policy.ts';
import type { SchedulePlan } from './plan.ts';

/** Processes: one that is registered twice is one liar. */
export function liars({ engines }: SchedulePlan): number {
  return new Set(engines.filter(({ lie }) => lie !== undefined).map(({ process }) => process)).size;
}

/** How many may give the same wrong answer. */
export function coalition(plan: SchedulePlan): number {
  // There are few labels: by LABEL or TOLERANCE different lies may agree.
  return plan.areAlike || plan.vote.compare !== 'EXACT' ? liars(plan) : Math.min(1, liars(plan));
}

/** They cannot be the majority in a vote, nor in an audit, which asks until two agree. */
export function areFew(plan: SchedulePlan): boolean {
  const policy = forModel(plan.vote, undefined);
  // More than half decide which engine is wrong: in a vote, or if needed in an audit.
  const least = Math.min(needed(policy), Math.floor(Math.max(3, policy.participants) / 2) + 1);
  return coalition(plan) < Math.min(least, hasAudits(plan) ? 2 : Infinity);
}

/** By the audit rate, or because one engine answered an input that another one refused. */
function hasAudits({ vote, engines, refused }: SchedulePlan): boolean {
  return vote.audit_rate > 0 || refused.length > 0 || engines.some(({ lie }) => lie === 'REFUSE');
}
