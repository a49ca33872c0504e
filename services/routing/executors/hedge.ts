// HEDGED: another engine is asked when those asked take longer than most answers do; the first answer counts, and the
// other attempts are cancelled (Dean and Barroso, "The tail at scale", 2013). Which engine to ask, and what a failure
// means: attempt-plan.ts. When to ask the next engine without a failure: after the shortest of these, each time anew.
//
//   what most answers take, doubled for each engine that was asked after the first, so that a slow moment of all engines
//   does not multiply the work
//   `attemptTimeoutMs`
//   the time that is left, divided by `maxAttempts`, so that there is time to ask the third where the first two hang
import { Cancel } from '../../core/cancel.ts';
import { RouterError } from '../../core/errors.ts';
import { type AttemptContext, type EngineClient, attempt } from '../attempt.ts';
import { AttemptPlan, type NextAttempt } from '../attempt-plan.ts';
import type { Execution, Executor, Outcome } from '../executor.ts';

/** Rejects with the error of the plan's rules. */
export const hedge: Executor = (execution) =>
  new Promise((resolve, reject) => new Hedge(execution, resolve, reject).start());

class Hedge<E extends EngineClient> {
  readonly #plan: AttemptPlan<E>;
  readonly #resolve: (answered: Outcome<E>) => void;
  readonly #reject: (error: RouterError) => void;
  /** A few at most. */
  #running: Cancel[] = [];
  readonly #onCallerAbort: () => void;
  #delayMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(execution: Execution<E>, resolve: (answered: Outcome<E>) => void, reject: (error: RouterError) => void) {
    this.#plan = new AttemptPlan(execution);
    this.#delayMs = execution.latencyQuantileMs ?? Infinity;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#onCallerAbort = () => this.#fail(RouterError.from(execution.context.signal.reason));
  }

  start(): void {
    const { signal } = this.#plan.request.context;
    if (signal.aborted) {
      this.#onCallerAbort();
      return;
    }
    signal.addEventListener('abort', this.#onCallerAbort, { once: true });
    if (!this.#attemptNext()) this.#fail(this.#plan.exhausted);
  }

  /** Whether there was another engine to ask. */
  #attemptNext(): boolean {
    const next = this.#plan.next();
    if (next === undefined) return false;
    this.#waitBeforeNext();
    void this.#attempt(next);
    return true;
  }

  #waitBeforeNext(): void {
    const { context, options } = this.#plan.request;
    const leftMs = context.deadlineMs - performance.now();
    const delayMs = Math.min(this.#delayMs, options.attemptTimeoutMs, leftMs / options.maxAttempts);
    this.#delayMs *= 2;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#attemptNext(), delayMs);
  }

  async #attempt(next: NextAttempt<E>): Promise<void> {
    const cancel = new Cancel();
    this.#running.push(cancel);
    try {
      const inference = await attempt(next.engine, withCancel(next.request, cancel), next.timeoutMs);
      this.#forget(cancel);
      if (this.#isOver) return;
      this.#end(new RouterError('CANCELLED', 'another engine was faster'));
      this.#resolve(this.#plan.answered(next, inference));
    } catch (thrown) {
      this.#forget(cancel);
      if (this.#isOver) return;
      const end = this.#plan.failed(next, RouterError.from(thrown));
      if (end !== undefined) this.#fail(end);
      else if (!this.#attemptNext() && this.#running.length === 0) this.#fail(this.#plan.exhausted);
    }
  }

  #fail(error: RouterError): void {
    if (this.#isOver) return;
    this.#end(error);
    this.#reject(error);
  }

  #forget(cancel: Cancel): void {
    this.#running = this.#running.filter((other) => other !== cancel);
  }

  /** Cancels the attempts that still run. */
  #end(why: RouterError): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#plan.request.context.signal.removeEventListener('abort', this.#onCallerAbort);
    for (const cancel of this.#running) cancel.abort(why);
  }
}

/** The same attempt, with its own cancellation. */
function withCancel(
  { input, context, options, strategy, attempts, as }: AttemptContext,
  cancel: Cancel,
): AttemptContext {
  const limits = { deadlineMs: context.deadlineMs, signal: cancel, span: context.span };
  return { input, context: limits, options, strategy, attempts, as };
}
