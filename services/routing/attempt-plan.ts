// Whom a request without a vote asks next, and how it ends. Failover (attempt.ts) and HEDGED (hedge.ts) both go by it.
//
// A refusal (the engine says that the input or the model is at fault) is a claim: the caller hears it only when another
// engine says the same. Two kinds of asking, one after the other:
//
//   attempts        engines in the order of the plan, `maxAttempts` at most; all but the first come out of the retry budget
//   confirmations   from the first refusal on: engines that were not asked yet, of another kind than the refuser first, two
//                   at most; they are neither attempts nor retries
//
// What follows from what an engine says; the first row that fits:
//
//      the engine                                   what follows
//   1  answers                                      the caller gets the answer; if there were refusals, the answer is not
//                                                   firm, and an audit finds out in the background who is wrong
//   2  refuses, and more than half of the           the caller gets that refusal, with `confirmed_by`
//      engines that refused, two at least, agree
//   3  refuses otherwise                            another engine is asked to confirm
//   4  fails when the caller has left, its time     the caller gets that error
//      is over, or no engine could do better
//   5  drains, takes no message of that size, or    the next engine is asked, and this attempt or confirmation counts as none
//      is full while another has room
//   6  fails otherwise                              the next engine is asked
//
// When nobody is left to ask, a request that was refused gets the first refusal, with `unconfirmed`; any other gets what
// no-engine.ts says.
import type { RouterError } from '../core/errors.ts';
import type { Inference } from '../core/inference.ts';
import { isRefusal, refusalKey } from '../core/refusal.ts';
import { type Askable, type Asking, isFinal, isUncounted } from './ask.ts';
import { attemptTimeMs } from './attempt-time.ts';
import { confirmed, unconfirmed } from './confirmed.ts';
import { noEngine } from './no-engine.ts';

/** What an engine answered, or refused with. */
export interface Claim<E> {
  readonly engine: E;
  readonly said: Inference | RouterError;
  readonly durationMs: number;
}

export interface NextAttempt<E> {
  readonly engine: E;
  readonly asking: Asking;
  readonly timeoutMs: number;
  readonly startedMs: number;
}

export interface Answered<E> {
  readonly inference: Inference;
  readonly engine: E;
}

const MAX_CONFIRMATIONS = 2;
/** A confirmation gets this part of the time that is left, so that there is an answer in time also without it. */
const CONFIRMATION_SHARES = 2;

export class AttemptPlan<E extends Askable> {
  /** All that engines answered or refused, in the order in which it came. */
  readonly claims: Claim<E>[] = [];
  readonly asking: Asking;
  #left: readonly E[];
  #attempts = 0;
  /** Attempts that the retry budget has paid for: one that counts as none is paid for once all the same. */
  #paid = 0;
  #confirmations = 0;
  #refusals: (Claim<E> & { readonly said: RouterError })[] = [];
  #last: RouterError | undefined;

  constructor(plan: readonly E[], asking: Asking) {
    this.asking = asking;
    this.#left = plan;
  }

  /** Whether the answer is all that was asked for: nobody has refused to give it. */
  get isFirm(): boolean {
    return this.#refusals.length === 0;
  }

  /** Undefined: nobody may be asked now. */
  next(): NextAttempt<E> | undefined {
    const able = this.#left.filter(({ admits }) => admits);
    const refuser = this.#refusals[0]?.engine;
    const engine = able.find(({ kind }) => refuser !== undefined && kind !== refuser.kind) ?? able[0];
    if (engine === undefined || !(refuser === undefined ? this.#takeAttempt() : this.#takeConfirmation())) {
      return undefined;
    }
    // One that may not be asked now stays: its breaker may admit it later.
    this.#left = this.#left.filter((other) => other !== engine);
    const startedMs = performance.now();
    if (refuser !== undefined) {
      const asking: Asking = { ...this.asking, as: 'confirmation' };
      return { engine, asking, timeoutMs: attemptTimeMs(engine, asking, CONFIRMATION_SHARES, startedMs), startedMs };
    }
    const attempts = 1 + Math.min(able.length - 1, this.#attemptsLeft);
    return {
      engine,
      asking: this.asking,
      timeoutMs: attemptTimeMs(engine, this.asking, attempts, startedMs),
      startedMs,
    };
  }

  answered({ engine, startedMs }: NextAttempt<E>, inference: Inference): Answered<E> {
    this.claims.push({ engine, said: inference, durationMs: performance.now() - startedMs });
    return { engine, inference };
  }

  /** What the request ends with; undefined: ask the next one. */
  failed({ engine, asking, startedMs }: NextAttempt<E>, error: RouterError): RouterError | undefined {
    this.#last = error;
    if (isRefusal(error)) {
      const claim = { engine, said: error, durationMs: performance.now() - startedMs };
      this.claims.push(claim);
      this.#refusals.push(claim);
      return this.#majority();
    }
    if (isFinal(error, this.asking.context)) return error;
    if (!isUncounted(error, this.#left)) return undefined;
    if (asking.as === 'confirmation') this.#confirmations -= 1;
    else this.#attempts -= 1;
    return undefined;
  }

  /** What the request ends with when nobody is left to ask. */
  get exhausted(): RouterError {
    const { options, attempts } = this.asking;
    const refusal = this.#refusals[0]?.said;
    return refusal === undefined ? noEngine(options.pool, attempts, this.#last) : unconfirmed(refusal);
  }

  /** That may follow. None where the retry budget is used up: then this engine's answer is all there can be. */
  get #attemptsLeft(): number {
    const { maxAttempts, budget } = this.asking.options;
    return budget.isEmpty ? 0 : maxAttempts - this.#attempts;
  }

  #takeAttempt(): boolean {
    const { maxAttempts, budget } = this.asking.options;
    if (this.#attempts === maxAttempts) return false;
    if (this.#paid < this.#attempts) {
      if (!budget.withdraw()) return false;
      this.#paid += 1;
    }
    this.#attempts += 1;
    return true;
  }

  #takeConfirmation(): boolean {
    if (this.#confirmations === MAX_CONFIRMATIONS) return false;
    this.#confirmations += 1;
    return true;
  }

  /** The refusal that more than half agree on, two at least. */
  #majority(): RouterError | undefined {
    const key = refusalKey(this.#refusals.at(-1)!.said);
    const equal = this.#refusals.filter(({ said }) => refusalKey(said) === key);
    if (equal.length < 2 || 2 * equal.length <= this.#refusals.length) return undefined;
    return confirmed(
      equal[0]!.said,
      equal.map(({ engine }) => engine.id),
    );
  }
}
