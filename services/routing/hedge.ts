// HEDGED: another engine is asked when those asked take longer than most answers do; the first answer counts, and the other
// engines are told to stop (Dean and Barroso, "The tail at scale", 2013). Whom to ask, and what a failure comes to:
// attempt-plan.ts. When to ask the next engine without a failure: after the shortest of these, each time anew.
//
//   what most answers take, doubled for each engine that was asked after the first, so that a slow moment of all engines
//   does not multiply the work
//   `attemptTimeoutMs`
//   the time that is left, divided by `maxAttempts`, so that there is time to ask the third where the first two hang
import { Cancel } from '../core/cancel.ts';
import { RouterError } from '../core/errors.ts';
import { type Askable, ask } from './ask.ts';
import type { Answered, AttemptPlan, NextAttempt } from './attempt-plan.ts';

/** Rejects with what the plan's rules say. `usualMs`: what most answers take; undefined: not known yet. */
export function hedge<E extends Askable>(plan: AttemptPlan<E>, usualMs: number | undefined): Promise<Answered<E>> {
  return new Promise((resolve, reject) => new Hedge(plan, usualMs, resolve, reject).start());
}

class Hedge<E extends Askable> {
  readonly #plan: AttemptPlan<E>;
  readonly #resolve: (answered: Answered<E>) => void;
  readonly #reject: (error: RouterError) => void;
  readonly #running = new Set<Cancel>();
  readonly #onCallerAbort: () => void;
  #delayMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(
    plan: AttemptPlan<E>,
    usualMs: number | undefined,
    resolve: (answered: Answered<E>) => void,
    reject: (error: RouterError) => void,
  ) {
    this.#plan = plan;
    this.#delayMs = usualMs ?? Infinity;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#onCallerAbort = () => this.#fail(RouterError.from(plan.asking.context.signal.reason));
  }

  start(): void {
    const { signal } = this.#plan.asking.context;
    if (signal.aborted) {
      this.#onCallerAbort();
      return;
    }
    signal.addEventListener('abort', this.#onCallerAbort, { once: true });
    if (!this.#askNext()) this.#fail(this.#plan.exhausted);
  }

  /** Whether there was another engine to ask. */
  #askNext(): boolean {
    const next = this.#plan.next();
    if (next === undefined) return false;
    this.#waitBeforeNext();
    void this.#ask(next);
    return true;
  }

  #waitBeforeNext(): void {
    const { context, options } = this.#plan.asking;
    const leftMs = context.deadlineMs - performance.now();
    const delayMs = Math.min(this.#delayMs, options.attemptTimeoutMs, leftMs / options.maxAttempts);
    this.#delayMs *= 2;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#askNext(), delayMs);
  }

  async #ask(next: NextAttempt<E>): Promise<void> {
    const cancel = new Cancel();
    this.#running.add(cancel);
    const { context, ...rest } = next.asking;
    try {
      const asking = { ...rest, context: { ...context, signal: cancel } };
      const inference = await ask(next.engine, asking, next.timeoutMs);
      this.#running.delete(cancel);
      if (this.#isOver) return;
      this.#end(new RouterError('CANCELLED', 'another engine was faster'));
      this.#resolve(this.#plan.answered(next, inference));
    } catch (thrown) {
      this.#running.delete(cancel);
      if (this.#isOver) return;
      const end = this.#plan.failed(next, RouterError.from(thrown));
      if (end !== undefined) this.#fail(end);
      else if (!this.#askNext() && this.#running.size === 0) this.#fail(this.#plan.exhausted);
    }
  }

  #fail(error: RouterError): void {
    if (this.#isOver) return;
    this.#end(error);
    this.#reject(error);
  }

  /** Stops the engines that are still computing. */
  #end(why: RouterError): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#plan.asking.context.signal.removeEventListener('abort', this.#onCallerAbort);
    for (const cancel of this.#running) cancel.abort(why);
  }
}
