// Failover: ask the engines of a plan one after the other until one answers.
import { RouterError } from '../core/errors.ts';
import type { Inference } from '../core/inference.ts';
import { type Askable, type Asking, ask, isFinal, isFree } from './ask.ts';
import { noEngine } from './no-engine.ts';

export interface Answered<E> {
  readonly inference: Inference;
  readonly engine: E;
}

/** Rejects with the engine's own error where another engine would not do better, else with NO_ENGINE. */
export async function attemptInTurn<E extends Askable>(plan: readonly E[], asking: Asking): Promise<Answered<E>> {
  const { attempts, context, options } = asking;
  let last: RouterError | undefined;
  let asked = 0;
  for (const [place, engine] of plan.entries()) {
    if (!engine.admits) continue; // it has gone, or its breaker has opened, since the plan was made
    if (asked === options.maxAttempts || (asked > 0 && !options.budget.withdraw())) break;
    asked += 1;
    const isLast = asked === options.maxAttempts || place === plan.length - 1;
    try {
      return { engine, inference: await ask(engine, asking, isLast ? Infinity : options.attemptTimeoutMs) };
    } catch (thrown) {
      last = RouterError.from(thrown);
      if (isFinal(last, context)) throw last;
      if (isFree(last)) asked -= 1;
    }
  }
  throw noEngine(options.pool, attempts, last);
}
