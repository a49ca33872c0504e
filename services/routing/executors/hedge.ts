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
import type { Inference } from '../../core/inference.ts';
import { type AttemptContext, type EngineClient, attempt } from '../attempt.ts';
import { AttemptPlan, type NextAttempt } from '../attempt-plan.ts';
import type { Execution, Executor } from '../executor.ts';
import { FirstAnswer, type Reject, type Resolve } from './first-answer.ts';

/** Rejects with the error of the plan's rules. */
export const hedge: Executor = (execution) =>
  new Promise((resolve, reject) => new Hedge(execution, resolve, reject).start());

class Hedge<E extends EngineClient> extends FirstAnswer<E> {
  /** A few at most. */
  readonly #cancels = new Map<NextAttempt<E>, Cancel>();
  readonly #onCallerAbort: () => void;
  #delayMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(execution: Execution<E>, resolve: Resolve<E>, reject: Reject) {
    super(new AttemptPlan(execution), resolve, reject);
    this.#delayMs = execution.latencyQuantileMs ?? Infinity;
    this.#onCallerAbort = () => this.fail(RouterError.from(execution.context.signal.reason));
  }

  override start(): void {
    const { signal } = this.plan.request.context;
    if (signal.aborted) {
      this.#onCallerAbort();
      return;
    }
    signal.addEventListener('abort', this.#onCallerAbort);
    super.start();
  }

  protected begins(): void {
    const { context, options } = this.plan.request;
    const leftMs = context.deadlineMs - performance.now();
    const delayMs = Math.min(this.#delayMs, options.attemptTimeoutMs, leftMs / options.maxAttempts);
    this.#delayMs *= 2;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.askNext(), delayMs);
  }

  protected infer(next: NextAttempt<E>): Promise<Inference> {
    const cancel = new Cancel();
    this.#cancels.set(next, cancel);
    return attempt(next.engine, withCancel(next.request, cancel), next.timeoutMs);
  }

  override failed(next: NextAttempt<E>, error: RouterError): void {
    this.#cancels.delete(next);
    super.failed(next, error);
  }

  /** Cancels the attempts that still run. */
  protected override ends(error?: RouterError, answered?: NextAttempt<E>): void {
    super.ends();
    clearTimeout(this.#timer);
    this.plan.request.context.signal.removeEventListener('abort', this.#onCallerAbort);
    const why = error ?? new RouterError('CANCELLED', 'another engine was faster');
    for (const [next, cancel] of this.#cancels) if (next !== answered) cancel.abort(why);
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
