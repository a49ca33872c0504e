// Decides which engine a request without a vote asks next, and how the request ends. Used by failover and HEDGED
// (executors/).
//
// A refusal (the engine says that the input or the model is at fault) is a claim: the caller gets it only when another
// engine says the same. There are two kinds of requests to engines, one after the other:
//
//   attempts        engines in the order of the plan, `maxAttempts` at most; all but the first use the retry budget,
//                   backups of a late attempt, too
//   confirmations   from the first refusal on: engines that were not asked yet, of another kind than the refuser first, two
//                   at most; they are neither attempts nor retries
//
// The consequence of an engine's result; the first row that applies:
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
// When no engine is left to ask, a request that was refused gets the first refusal, with `unconfirmed`. Any other is sent
// once more to an engine that was late when all were (ATTEMPT_TIMEOUT): it lives, and the others have failed. If there is
// none, the request gets what no-engine.ts says.
import type { RouterError } from '../core/errors.ts';
import type { Inference } from '../core/inference.ts';
import { isRefusal, refusalKey } from '../core/refusal.ts';
import { type EngineClient, type AttemptContext, isFinal, isUncounted } from './attempt.ts';
import { attemptTimeMs } from './attempt-time.ts';
import { confirmed, unconfirmed } from './confirmed.ts';
import type { Claim, Execution, Outcome } from './executor.ts';
import { noEngine } from './no-engine.ts';

export interface NextAttempt<E> {
  readonly engine: E;
  readonly request: AttemptContext;
  readonly timeoutMs: number;
  readonly startedMs: number;
}

const NO_BALLOTS: readonly never[] = [];
const MAX_CONFIRMATIONS = 2;
/** A confirmation gets this share of the remaining time, so that there is an answer in time even without it. */
const CONFIRMATION_SHARES = 2;

export class AttemptPlan<E extends EngineClient> {
  readonly request: AttemptContext;
  readonly #claims: Claim<E>[];
  #left: readonly E[];
  /** The engine that may be asked a second time. */
  #late: E | undefined;
  #attempts = 0;
  /** Attempts already charged to the retry budget: one that counts as none is still charged once. */
  #paid = 0;
  #confirmations = 0;
  #refusals: (Claim<E> & { readonly said: RouterError })[] | undefined;
  #last: RouterError | undefined;

  constructor(execution: Pick<Execution<E>, 'plan' | 'claims'> & AttemptContext) {
    this.request = execution;
    this.#left = execution.plan;
    this.#claims = execution.claims;
  }

  /** Undefined: no engine is usable now. `requests`: number sent at once; default one. */
  next(requests?: number): NextAttempt<E> | undefined {
    const refuser = this.#refusals?.[0]?.engine;
    let able = 0;
    let first: E | undefined;
    let ofOtherKind: E | undefined;
    for (const engine of this.#left) {
      if (!engine.isAvailable) continue;
      able += 1;
      first ??= engine;
      if (refuser !== undefined && engine.kind !== refuser.kind) ofOtherKind ??= engine;
    }
    const engine = ofOtherKind ?? first;
    if (engine === undefined || !(refuser === undefined ? this.#takeAttempt() : this.#takeConfirmation())) {
      return undefined;
    }
    return this.#begin(engine, able, requests);
  }

  /** After the last attempt that ran has failed. */
  again(): NextAttempt<E> | undefined {
    const engine = this.#late;
    this.#late = undefined;
    if (engine?.isAvailable !== true || this.#refusals !== undefined || !this.#takeAttempt()) return undefined;
    return this.#begin(engine, 1);
  }

  /** Whether another engine can be asked. */
  get hasOthers(): boolean {
    return this.#left.length > 0;
  }

  /**
   * An attempt beside one that has taken `elapsedMs`. Undefined: no engine would probably answer sooner, or none may be
   * asked.
   */
  backup(elapsedMs: number): NextAttempt<E> | undefined {
    const { input } = this.request;
    if (this.#refusals !== undefined || !this.request.options.budget.isHalfFull) return undefined;
    const able = this.#left.filter(({ isAvailable }) => isAvailable);
    const engine = able.find((other) => other.availableSlots > 0 && other.answersWithin(input, elapsedMs));
    return engine !== undefined && this.#takeAttempt() ? this.#begin(engine, able.length) : undefined;
  }

  #begin(engine: E, able: number, requests?: number): NextAttempt<E> {
    // An engine that is not usable now stays: its breaker may allow it later.
    this.#left = this.#left.filter((other) => other !== engine);
    const startedMs = performance.now();
    const isConfirmation = this.#refusals !== undefined;
    const request: AttemptContext = isConfirmation ? this.#toConfirm() : this.request;
    const shares = isConfirmation ? CONFIRMATION_SHARES : 1 + Math.min(able - 1, this.#attemptsLeft);
    return { engine, request, timeoutMs: attemptTimeMs(engine, request, shares, startedMs, requests), startedMs };
  }

  /** Call instead of `next` if the first attempt was made in a group. */
  begun({ engine }: NextAttempt<E>): void {
    this.#attempts = 1;
    this.#left = this.#left.filter((other) => other !== engine);
  }

  answered({ engine, startedMs }: NextAttempt<E>, inference: Inference): Outcome<E> {
    this.#claims.push({ engine, said: inference, durationMs: performance.now() - startedMs });
    return { engine, inference, grade: 'SINGLE', isFirm: this.#refusals === undefined, ballots: NO_BALLOTS };
  }

  /** The result of the request; undefined: ask the next engine. */
  failed({ engine, request, startedMs }: NextAttempt<E>, error: RouterError): RouterError | undefined {
    this.#last = error;
    if (isRefusal(error)) {
      const claim = { engine, said: error, durationMs: performance.now() - startedMs };
      this.#claims.push(claim);
      (this.#refusals ??= []).push(claim);
      return this.#majority();
    }
    if (isFinal(error, this.request.context)) return error;
    if (error.kind === 'ATTEMPT_TIMEOUT') this.#late ??= engine;
    if (!isUncounted(error, this.#left)) return undefined;
    if (request.as === 'confirmation') this.#confirmations -= 1;
    else this.#attempts -= 1;
    return undefined;
  }

  /** The result of the request when no engine is left to ask. */
  get exhausted(): RouterError {
    const { options, attempts } = this.request;
    const refusal = this.#refusals?.[0]?.said;
    return refusal === undefined ? noEngine(options.pool, attempts, this.#last) : unconfirmed(refusal);
  }

  /** Attempts that may follow. None if the retry budget is used up: then this engine's answer is final. */
  get #attemptsLeft(): number {
    const { maxAttempts, budget } = this.request.options;
    return budget.isEmpty ? 0 : maxAttempts - this.#attempts;
  }

  #takeAttempt(): boolean {
    const { maxAttempts, budget } = this.request.options;
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

  #toConfirm(): AttemptContext {
    const { input, context, options, strategy, attempts } = this.request;
    return { input, context, options, strategy, attempts, as: 'confirmation' };
  }

  /** The refusal on which more than half agree, at least two. */
  #majority(): RouterError | undefined {
    const refusals = this.#refusals!;
    const key = refusalKey(refusals.at(-1)!.said);
    const equal = refusals.filter(({ said }) => refusalKey(said) === key);
    if (equal.length < 2 || 2 * equal.length <= refusals.length) return undefined;
    return confirmed(
      equal[0]!.said,
      equal.map(({ engine }) => engine.id),
    );
  }
}
