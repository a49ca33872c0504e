// Runs the attempts of a plan, one or several at a time: the first answer counts. The subclass decides when another
// engine is asked though none has failed.
import { RouterError } from '../../core/errors.ts';
import type { Inference } from '../../core/inference.ts';
import type { EngineClient } from '../attempt.ts';
import type { AttemptPlan, NextAttempt } from '../attempt-plan.ts';
import type { Outcome } from '../executor.ts';

export type Resolve<E extends EngineClient> = (answered: Outcome<E>) => void;
export type Reject = (error: RouterError) => void;

export abstract class FirstAnswer<E extends EngineClient> {
  isOver = false;
  protected readonly plan: AttemptPlan<E>;
  readonly #resolve: Resolve<E>;
  readonly #reject: Reject;
  #running = 0;

  /** One of the functions is called once. */
  constructor(plan: AttemptPlan<E>, resolve: Resolve<E>, reject: Reject) {
    this.plan = plan;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(): void {
    if (!this.askNext()) this.fail(this.plan.exhausted);
  }

  /** An attempt runs that was begun elsewhere; its end is passed to `answered` or `failed`. */
  join(attempt: NextAttempt<E>): void {
    this.#running += 1;
    this.begins(attempt);
  }

  answered(attempt: NextAttempt<E>, inference: Inference): void {
    this.#running -= 1;
    if (this.isOver) return;
    this.ends(undefined, attempt);
    this.#resolve(this.plan.answered(attempt, inference));
  }

  failed(attempt: NextAttempt<E>, error: RouterError): void {
    this.#running -= 1;
    if (this.isOver) return;
    const end = this.plan.failed(attempt, error);
    if (end !== undefined) {
      this.fail(end);
      return;
    }
    const next = this.plan.next() ?? (this.#running === 0 ? this.plan.again() : undefined);
    if (next !== undefined) this.ask(next);
    else if (this.#running === 0) this.fail(this.plan.exhausted);
  }

  /** Returns false if there is no other engine to ask. */
  protected askNext(): boolean {
    const next = this.plan.next();
    if (next !== undefined) this.ask(next);
    return next !== undefined;
  }

  protected ask(next: NextAttempt<E>): void {
    this.join(next);
    this.infer(next).then(
      (inference) => this.answered(next, inference),
      (thrown: unknown) => this.failed(next, RouterError.from(thrown)),
    );
  }

  protected fail(error: RouterError): void {
    if (this.isOver) return;
    this.ends(error);
    this.#reject(error);
  }

  protected abstract infer(next: NextAttempt<E>): Promise<Inference>;
  /** Called before each attempt. */
  protected abstract begins(next: NextAttempt<E>): void;

  /** Called once, when the result is known: the error, or the attempt that was answered. */
  protected ends(_error?: RouterError, _answered?: NextAttempt<E>): void {
    this.isOver = true;
  }
}
