// Whether a refusal is one that its request may end with.
import { RouterError } from '../../services/core/errors.ts';
import { isRefusal, refusalKey } from '../../services/core/refusal.ts';
import { needed } from '../../services/voting/policy.ts';
import type { Asked } from './attempts.ts';
import { Broken } from './invariants.ts';
import { coalition } from './liars.ts';
import type { SchedulePlan } from './plan.ts';
import { truthOf } from './truth.ts';

/** Engines that agree before a caller hears a refusal, where there is no vote. */
const CONFIRMING = 2;

/** Returns whether it is a refusal, and a true one. Throws Broken. */
export function checkRefusal(plan: SchedulePlan, asked: Asked, error: RouterError): 'none' | 'true' | 'false' {
  if (!isRefusal(error)) return 'none';
  const truth = truthOf(plan, asked.plan.input);
  if (truth instanceof RouterError && refusalKey(truth) === refusalKey(error)) return 'true';
  const { policy, number } = asked;
  const isUnconfirmed = error.metadata['unconfirmed'] === 'true';
  const isLenient = policy !== undefined && (policy.onFew !== 'FAIL' || policy.onDispute !== 'FAIL');
  const enough = policy === undefined ? CONFIRMING : needed(policy);
  const isAllowed = isUnconfirmed ? policy === undefined && !canBeConfirmed(plan) : coalition(plan) >= enough;
  if (isAllowed || isLenient) return 'false';
  const by = error.metadata['confirmed_by'] ?? 'one engine';
  throw new Broken('refused', `request ${number} (${asked.plan.strategy}) ended with ${refusalKey(error)}, said by ${by}`);
}

/** Honest engines are there at any time, and nothing keeps one of them from being asked. */
function canBeConfirmed({ engines, acts, attemptTimeoutMs, maxAttempts, panicPercent }: SchedulePlan): boolean {
  const isEasy = engines.every(
    ({ moods, capacity, limit, latencyMs, lie }) =>
      moods.every(({ kind }) => kind === 'WELL') &&
      capacity === 1_000 &&
      limit === undefined &&
      2 * latencyMs < attemptTimeoutMs &&
      lie !== 'MALFORMED', // its breaker opens, and others may be ignored in a panic
  );
  const honest = engines.filter(({ lie }) => lie === undefined).length;
  return isEasy && honest >= 2 && acts.length === 0 && maxAttempts >= 1 && panicPercent >= 0;
}
