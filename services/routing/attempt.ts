// Failover: ask the engines of a plan one after the other until one answers.
import { RouterError } from '../core/errors.ts';
import { ask } from './ask.ts';
import type { Askable } from './ask.ts';
import type { Answered, AttemptPlan } from './attempt-plan.ts';

/** Rejects with what the plan's rules say. */
export async function attemptInTurn<E extends Askable>(plan: AttemptPlan<E>): Promise<Answered<E>> {
  for (let next = plan.next(); next !== undefined; next = plan.next()) {
    try {
      return plan.answered(next, await ask(next.engine, next.asking, next.timeoutMs));
    } catch (thrown) {
      const end = plan.failed(next, RouterError.from(thrown));
      if (end !== undefined) throw end;
    }
  }
  throw plan.exhausted;
}
