// Checks whether a request may end with a refusal.
import { RouterError } from '../../services/core/errors.ts';
import { isRefusal, refusalKey } from '../../services/core/refusal.ts';
import type { EnginePool } from '../../services/engines/pool.ts';
import { needed } from '../../services/voting/policy.ts';
import { type SentRequest, MAX_CONFIRMATIONS } from './attempts.ts';
import { Broken } from './invariants.ts';
import { coalition } from './liars.ts';
import type { SchedulePlan } from './plan.ts';
import { truthFor } from './truth-for.ts';

/** Number of engines that must agree on a refusal without a vote. */
const CONFIRMING = 2;

/** Returns true if it is a refusal and correct. Throws Broken. */
export function checkRefusal(
  plan: SchedulePlan,
  sent: SentRequest,
  error: RouterError,
  pool: EnginePool,
): 'none' | 'true' | 'false' {
  if (!isRefusal(error)) return 'none';
  const truth = truthFor(plan, sent);
  if (truth instanceof RouterError && refusalKey(truth) === refusalKey(error)) return 'true';
  const { policy, number } = sent;
  const isUnconfirmed = error.metadata['unconfirmed'] === 'true';
  const isLenient = policy !== undefined && (policy.onFew !== 'FAIL' || policy.onDispute !== 'FAIL');
  const enough = policy === undefined ? CONFIRMING : needed(policy);
  const isAllowed = isUnconfirmed
    ? policy === undefined && !canBeConfirmed(sent, pool, plan)
    : coalition(plan) >= enough;
  if (isAllowed || isLenient) return 'false';
  const by = error.metadata['confirmed_by'] ?? 'one engine';
  throw new Broken(
    'refused',
    `request ${number} (${sent.plan.strategy}) ended with ${refusalKey(error)}, said by ${by}`,
  );
}

/** An honest engine was available all the time, and was not asked. */
function canBeConfirmed({ confirmations, tried, able }: SentRequest, pool: EnginePool, plan: SchedulePlan): boolean {
  if (confirmations >= MAX_CONFIRMATIONS) return false;
  return pool.engines.some(
    ({ id, isAvailable }) => isAvailable && able.has(id) && !tried.has(id) && isHonest(plan, id),
  );
}

function isHonest({ engines }: SchedulePlan, id: string): boolean {
  return engines.some((engine) => engine.lie === undefined && (id === engine.id || id === `${engine.id}'`));
}
