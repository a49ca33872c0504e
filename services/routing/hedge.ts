// HEDGED: a second engine is asked when the first takes longer than most answers do; the first answer counts, and the
// other engine is told to stop (Dean and Barroso, "The tail at scale", 2013). Both share the budget of retries.
import { RouterError } from '../core/errors.ts';
import type { Answered } from './attempt.ts';
import { type Askable, type Asking, ask, isFinal, isFree } from './ask.ts';
import { noEngine } from './no-engine.ts';

/** Rejects with the engine's own error where another engine would not do better, else with NO_ENGINE. */
export function hedge<E extends Askable>(
  plan: readonly E[],
  delayMs: number | undefined,
  asking: Asking,
): Promise<Answered<E>> {
  return new Promise((resolve, reject) => new Hedge(plan, delayMs, asking, resolve, reject).start());
}

class Hedge<E extends Askable> {
  readonly #asking: Asking;
  readonly #delayMs: number | undefined;
  readonly #resolve: (answered: Answered<E>) => void;
  readonly #reject: (error: RouterError) => void;
  readonly #next: Iterator<E>;
  readonly #running = new Map<E, AbortController>();
  readonly #onCallerAbort: () => void;
  #asked = 0;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(
    plan: readonly E[],
    delayMs: number | undefined,
    asking: Asking,
    resolve: (answered: Answered<E>) => void,
    reject: (error: RouterError) => void,
  ) {
    this.#asking = asking;
    this.#delayMs = delayMs;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#next = plan[Symbol.iterator]();
    this.#onCallerAbort = () => this.#fail(RouterError.from(asking.context.signal.reason));
  }

  start(): void {
    const { signal } = this.#asking.context;
    if (signal.aborted) {
      this.#onCallerAbort();
      return;
    }
    signal.addEventListener('abort', this.#onCallerAbort, { once: true });
    if (!this.#askNext()) this.#giveUp();
  }

  /** Whether there was another engine to ask. */
  #askNext(): boolean {
    const { options } = this.#asking;
    for (let next = this.#next.next(); !next.done; next = this.#next.next()) {
      const engine = next.value;
      if (!engine.admits) continue;
      if (this.#asked === options.maxAttempts || (this.#asked > 0 && !options.budget.withdraw())) return false;
      this.#asked += 1;
      void this.#ask(engine);
      this.#waitBeforeNext();
      return true;
    }
    return false;
  }

  /** One hedge at most is under way beside the first; a failure is replaced at once. */
  #waitBeforeNext(): void {
    clearTimeout(this.#timer);
    if (this.#delayMs === undefined || this.#running.size > 1) return;
    this.#timer = setTimeout(() => this.#askNext(), this.#delayMs);
  }

  async #ask(engine: E): Promise<void> {
    const controller = new AbortController();
    this.#running.set(engine, controller);
    const { context, ...rest } = this.#asking;
    try {
      const inference = await ask(engine, { ...rest, context: { ...context, signal: controller.signal } });
      this.#running.delete(engine);
      if (this.#isOver) return;
      this.#end(new RouterError('CANCELLED', 'another engine was faster'));
      this.#resolve({ engine, inference });
    } catch (thrown) {
      this.#running.delete(engine);
      if (this.#isOver) return;
      const error = RouterError.from(thrown);
      if (isFree(error)) this.#asked -= 1;
      if (isFinal(error, context)) this.#fail(error);
      else if (!this.#askNext() && this.#running.size === 0) this.#giveUp(error);
    }
  }

  #giveUp(last?: RouterError): void {
    const { options, attempts } = this.#asking;
    this.#fail(noEngine(options.pool, attempts, last));
  }

  #fail(error: RouterError): void {
    if (this.#isOver) return;
    this.#end(error);
    this.#reject(error);
  }

  /** Stops whoever is still computing. */
  #end(why: RouterError): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#asking.context.signal.removeEventListener('abort', this.#onCallerAbort);
    for (const controller of this.#running.values()) controller.abort(why);
  }
}
