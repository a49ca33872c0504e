// Audit: checks engines' answers to a request on other engines, in the background. Two cases:
//
//   by share      a share of the answers and refusals of each engine: one more engine is asked, and if the two differ,
//                 others
//   contradicted  a request to which one engine answered and another refused, or two refused differently, or a vote that
//                 cannot say which engine is wrong: others are asked until it is decided
//
// If two differ, more than half of all engines that hold the model must agree which one is wrong. So a liar that answers
// an input that honest engines refuse cannot have them quarantined. If not enough engines can be asked, the dispute names
// no engine as wrong, and all of them are suspects.
import { Cancel } from '../core/cancel.ts';
import { RouterError } from '../core/errors.ts';
import { publicName } from '../core/held-name.ts';
import type { Inference } from '../core/inference.ts';
import type { Observer } from '../core/observer.ts';
import { refusalKey } from '../core/refusal.ts';
import { workOf } from '../core/work.ts';
import type { VotePolicy } from '../voting/policy.ts';
import { type Verdict, verdict } from '../voting/verdict.ts';
import type { EngineClient, AttemptContext } from './attempt.ts';
import { type Voter, isEmpty, newVoter, recordAnswer, recordError, toBallot, wantsLayers } from './ballot.ts';
import type { Dispute } from './dispute.ts';
import type { Claim } from './executor.ts';
import { malformedDispute } from './malformed.ts';

export interface AuditOptions {
  /** Share of answers and refusals that are checked, 0 to 1. */
  readonly rate: number;
  readonly observer: Observer;
  readonly onDispute: (dispute: Dispute) => void;
  /** Called for an exception in the background, which is a bug. Unset: it is dropped. */
  readonly onProblem?: (error: unknown) => void;
}

/** Maximum concurrent audits by share; more are skipped, so that they do not slow requests down. */
const MAX_RUNNING = 4;
/** Maximum concurrent audits of contradictions; above that, only the existing answers are compared. */
const MAX_CONTRADICTED = 4;
const TIMEOUT_MS = 10_000;

/** For an audit without a contradiction so far: two equal answers are enough. */
const POLICY: VotePolicy = {
  participants: 3,
  agreement: { kind: 'MAJORITY' },
  mode: 'STAGED',
  compare: { kind: 'EXACT' },
  distinctKinds: 1,
  onDispute: 'FAIL',
  onFew: 'FAIL',
};

/** An audit continues after the end of its request: it keeps the trace, but not the deadline and the cancellation. */
type Audited = Pick<AttemptContext, 'input' | 'strategy'> & {
  readonly context?: Pick<AttemptContext['context'], 'span'>;
  /** Keeps the model version in use until the returned function is called. */
  hold?(): () => void;
};

interface OneAudit<E> {
  readonly claims: readonly Claim<E>[];
  /** Other engines that may be asked. */
  readonly others: readonly E[];
  /** Engines of which more than half decide which one is wrong. */
  readonly all: number;
  readonly isContradicted: boolean;
  readonly mayAsk: boolean;
  readonly audited: Audited;
  readonly onWrong: () => void;
}

export class Audit {
  #options: AuditOptions;
  /**
   * Accumulated audit share of each engine: a rate of 0.05 checks every twentieth answer of each engine. Counting all
   * answers together would always check the same engine if twenty is a multiple of the number of engines.
   */
  readonly #due = new WeakMap<EngineClient, number>();
  readonly #running = { byShare: 0, contradicted: 0 };

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  configure({ rate }: Pick<AuditOptions, 'rate'>): void {
    this.#options = { ...this.#options, rate };
  }

  /** `claims`: all answers and refusals to one request. `onWrong` is called if the answer among them may be wrong. */
  maybeAudit<E extends EngineClient>(
    claims: readonly Claim<E>[],
    engines: readonly E[],
    audited: Audited,
    onWrong: () => void,
  ): void {
    const [first] = claims;
    if (first === undefined) return;
    const isDue = this.#isDue(first.engine);
    if (claims.some(({ said }) => nameOf(said) !== nameOf(first.said))) {
      this.contradicted(claims, engines, audited, onWrong);
    } else if (isDue && this.#running.byShare < MAX_RUNNING) {
      const { length: all } = engines;
      void this.#run({
        claims,
        others: peers(claims, engines),
        all,
        isContradicted: false,
        mayAsk: true,
        audited,
        onWrong,
      });
    }
  }

  /**
   * Engines contradict each other: others decide which one is wrong. The first answer among `claims` was returned.
   * `least`: more than half of at least this many must agree.
   */
  contradicted<E extends EngineClient>(
    claims: readonly Claim<E>[],
    engines: readonly E[],
    audited: Audited,
    onWrong: () => void,
    least = engines.length,
  ): void {
    const mayAsk = this.#running.contradicted < MAX_CONTRADICTED;
    const all = Math.max(engines.length, least);
    void this.#run({ claims, others: peers(claims, engines), all, isContradicted: true, mayAsk, audited, onWrong });
  }

  #isDue(engine: EngineClient): boolean {
    const due = (this.#due.get(engine) ?? 0) + this.#options.rate;
    this.#due.set(engine, due < 1 ? due : due - 1); // skipped audits are not made up for later
    return due >= 1;
  }

  async #run<E extends EngineClient>(audit: OneAudit<E>): Promise<void> {
    const running = audit.isContradicted ? 'contradicted' : 'byShare';
    this.#running[running] += 1;
    const release = audit.audited.hold?.();
    try {
      const voters = audit.claims.map(toVoter);
      if (audit.mayAsk) await this.#askPeers(voters, audit);
      this.#conclude(voters, audit);
    } catch (error) {
      this.#options.onProblem?.(error);
    } finally {
      this.#running[running] -= 1;
      release?.();
    }
  }

  /** Asks engines one by one until the correct answer is decided; at least one if there is no contradiction yet. */
  async #askPeers<E extends EngineClient>(voters: Voter<E>[], audit: OneAudit<E>): Promise<void> {
    const { claims, others, isContradicted, audited } = audit;
    for (const other of others) {
      const mayEnd = isContradicted || voters.length > claims.length;
      if (mayEnd && judge(voters, audit).kind === 'AGREED') return;
      if (!other.isAvailable) continue; // removed since the list was made
      voters.push(await this.#recompute(other, audited));
    }
  }

  async #recompute<E extends EngineClient>(engine: E, { input, strategy, context }: Audited): Promise<Voter<E>> {
    const { observer, onDispute } = this.#options;
    const voter = newVoter(engine);
    const limits = { deadlineMs: voter.startedMs + TIMEOUT_MS, signal: new Cancel() };
    // Asks for a full answer half of the time, so that an engine cannot distinguish an audit from a request.
    const digestOnly = !wantsLayers(input) && Math.random() < 0.5;
    let answer: Inference;
    try {
      const audited = { ...input, digestOnly };
      answer = await engine.infer(audited, limits, engine.attemptMs(audited, TIMEOUT_MS));
    } catch (thrown) {
      // A refusal is its ballot. An engine that fails is absent; its breaker has counted that.
      const error = RouterError.from(thrown);
      recordError(voter, error);
      const audited = { input, strategy, span: context?.span };
      const dispute = malformedDispute(engine.id, error, voter.durationMs, audited);
      if (dispute !== undefined) onDispute(dispute);
      return voter;
    }
    if (!isEmpty(answer)) recordAnswer(voter, answer);
    observer.computed(publicName(input.model), input.version, workOf(input, answer));
    return voter;
  }

  #conclude<E extends EngineClient>(voters: readonly Voter<E>[], audit: OneAudit<E>): void {
    const result = judge(voters, audit);
    const claimed = audit.claims.length;
    const voted = voters.filter(({ ballot }) => ballot.answer !== undefined).length;
    const wrong = result.kind === 'AGREED' ? voters.filter((_, index) => result.outcomes[index] === 'DISSENTED') : [];
    const isClean = result.kind === 'AGREED' && wrong.length === 0;
    // No other engine could be asked.
    if (voted < 2 || (isClean && voted === claimed)) return;
    const given = voters.slice(0, claimed).findIndex(({ answer }) => answer !== undefined);
    const isAnswerWrong = result.kind !== 'AGREED' || result.outcomes[given] === 'DISSENTED';
    if (given >= 0 && isAnswerWrong) audit.onWrong();
    const ids = wrong.map(({ engine }) => engine.id);
    this.#options.observer.voted(isClean ? 'AUDITED' : 'AUDIT_DISPUTED', ids);
    if (isClean) return;
    const { input, strategy, context } = audit.audited;
    const right = result.kind === 'AGREED' ? voters[result.winner]?.ballot.answer : undefined;
    this.#options.onDispute({
      input,
      strategy,
      verdict: 'AUDIT_DISPUTED',
      ballots: voters.map((voter, index) => toBallot(voter, result.outcomes[index] ?? 'ABSENT')),
      wrong: ids,
      right: right?.refusal === undefined ? right : undefined,
      span: context?.span,
    });
  }
}

/** Without a vote, at most one of the claims is an answer. */
function nameOf(said: Inference | RouterError): string {
  return said instanceof RouterError ? refusalKey(said) : '';
}

function toVoter<E extends EngineClient>({ engine, said, durationMs }: Claim<E>): Voter<E> {
  const voter = newVoter(engine);
  if (said instanceof RouterError) recordError(voter, said);
  else recordAnswer(voter, said);
  voter.durationMs = durationMs;
  return voter;
}

/**
 * If two differ, more than half of all engines must agree which one is wrong, so that a few equal liars cannot decide.
 */
function judge<E>(voters: readonly Voter<E>[], { all }: OneAudit<E>): Verdict {
  const ballots = voters.map(({ ballot }) => ballot);
  const quick = verdict(ballots, POLICY);
  if (quick.kind === 'AGREED' && quick.grade === 'UNANIMOUS') return quick;
  return verdict(ballots, { ...POLICY, participants: Math.max(POLICY.participants, all) });
}

/** Engines of another kind first, since copies of one binary share its bugs; random order within a kind. */
function peers<E extends EngineClient>(claims: readonly Claim<E>[], engines: readonly E[]): readonly E[] {
  const { kind } = claims[0]!.engine;
  const others = engines.filter((other) => other.isAvailable && claims.every(({ engine }) => engine !== other));
  const [first] = others.splice(Math.floor(Math.random() * others.length), 1);
  const mixed = first === undefined ? [] : [first, ...others];
  return mixed.sort((a, b) => Number(a.kind === kind) - Number(b.kind === kind));
}
