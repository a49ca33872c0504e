// Failover: asks the engines of a plan one after the other until one answers. attempt-plan.ts decides which engine is
// next and how failures count.
import { RouterError } from '../../core/errors.ts';
import { type EngineClient, attempt } from '../attempt.ts';
import { AttemptPlan, type NextAttempt } from '../attempt-plan.ts';
import type { Executor, Outcome } from '../executor.ts';

export const failover: Executor = (execution) => askInTurn(new AttemptPlan(execution));

/** Continues after a failed attempt. */
export async function failoverAfter<E extends EngineClient>(
  plan: AttemptPlan<E>,
  failed: NextAttempt<E>,
  error: RouterError,
): Promise<Outcome<E>> {
  const end = plan.failed(failed, error);
  if (end !== undefined) throw end;
  return await askInTurn(plan);
}

async function askInTurn<E extends EngineClient>(plan: AttemptPlan<E>): Promise<Outcome<E>> {
  for (let next = plan.next(); next !== undefined; next = plan.next()) {
    try {
      return plan.answered(next, await attempt(next.engine, next.request, next.timeoutMs));
    } catch (thrown) {
      const end = plan.failed(next, RouterError.from(thrown));
      if (end !== undefined) throw end;
    }
  }
  throw plan.exhausted;
}
