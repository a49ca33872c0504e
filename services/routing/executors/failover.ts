// Failover: asks the engines of a plan one after the other until one answers. Whom to ask, and what a failure comes to:
// attempt-plan.ts.
import { RouterError } from '../../core/errors.ts';
import { attempt } from '../attempt.ts';
import { AttemptPlan } from '../attempt-plan.ts';
import type { Executor } from '../executor.ts';

export const failover: Executor = async (execution) => {
  const plan = new AttemptPlan(execution);
  for (let next = plan.next(); next !== undefined; next = plan.next()) {
    try {
      return plan.answered(next, await attempt(next.engine, next.request, next.timeoutMs));
    } catch (thrown) {
      const end = plan.failed(next, RouterError.from(thrown));
      if (end !== undefined) throw end;
    }
  }
  throw plan.exhausted;
};
