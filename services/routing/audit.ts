// Audit: what engines said to a request is checked on other engines, in the background. Two cases:
//
//   by share      a share of the answers and refusals of each engine: one engine more is asked, and if the two differ, others
//   contradicted  a request to which one engine answered and another refused, or two refused differently, or a vote that
//                 cannot say which engine is wrong: others are asked until it is decided
//
// Where two differ, it takes more than half of all engines that hold the model to say which one is wrong. So one liar that
// answers an input that honest engines refuse puts none of them out. Where that many cannot be asked the dispute names no
// engine as wrong, and all of them are suspects.
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
  /** Share of answers and refusals to check, 0 to 1. */
  readonly rate: number;
  readonly observer: Observer;
  readonly onDispute: (dispute: Dispute) => void;
  /** Hears of what was thrown in the background: a bug, but not the request's. Unset: it is dropped. */
  readonly onProblem?: (error: unknown) => void;
}

/** Audits by share under way at once: beyond that they are left out, for they must not slow the requests. */
const MAX_RUNNING = 4;
/** Audits of contradicted requests under way at once: beyond that only what was said already is compared. */
const MAX_CONTRADICTED = 4;
const TIMEOUT_MS = 10_000;

/** Of an audit without a contradiction so far: two that agree are enough. */
const POLICY: VotePolicy = {
  participants: 3,
  agreement: { kind: 'MAJORITY' },
  mode: 'STAGED',
  compare: { kind: 'EXACT' },
  distinctKinds: 1,
  onDispute: 'FAIL',
  onFew: 'FAIL',
};

/** An audit goes on when its request has ended: its deadline and its leaving do not matter, its trace does. */
type Audited = Pick<AttemptContext, 'input' | 'strategy'> & {
  readonly context?: Pick<AttemptContext['context'], 'span'>;
  /** The model version is not given up before what it returns is called. */
  hold?(): () => void;
};

interface OneAudit<E> {
  readonly claims: readonly Claim<E>[];
  /** That may be asked, too. */
  readonly others: readonly E[];
  /** Of which more than half say who is wrong. */
  readonly all: number;
  readonly isContradicted: boolean;
  readonly mayAsk: boolean;
  readonly audited: Audited;
  readonly onWrong: () => void;
}

export class Audit {
  #options: AuditOptions;
  /**
   * Share of an audit that is due of each engine: a rate of 0.05 is every twentieth answer of its own. Of all answers
   * together it would always be the same engine's where twenty is a multiple of how many take turns.
   */
  readonly #due = new WeakMap<EngineClient, number>();
  readonly #running = { byShare: 0, contradicted: 0 };

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  configure({ rate }: Pick<AuditOptions, 'rate'>): void {
    this.#options = { ...this.#options, rate };
  }

  /** `claims`: all that was said to one request. `onWrong` is called if the answer among them may have been wrong. */
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
   * Engines contradict each other: others say who is wrong. The first answer among `claims` is the one that was given.
   * `least`: of so many at least it takes more than half.
   */
  contradicted<E extends EngineClient>(
    claims: readonly Claim<E>[],
    engines: readonly E[],
    audited: Audited,
    onWrong: () => void,
    least = 0,
  ): void {
    const mayAsk = this.#running.contradicted < MAX_CONTRADICTED;
    const all = Math.max(engines.length, least);
    void this.#run({ claims, others: peers(claims, engines), all, isContradicted: true, mayAsk, audited, onWrong });
  }

  #isDue(engine: EngineClient): boolean {
    const due = (this.#due.get(engine) ?? 0) + this.#options.rate;
    this.#due.set(engine, due < 1 ? due : due - 1); // what cannot be done now is not made up for
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

  /** Asks one engine after the other until the right answer is decided: at least one engine, where there is no contradiction yet. */
  async #askPeers<E extends EngineClient>(voters: Voter<E>[], audit: OneAudit<E>): Promise<void> {
    const { claims, others, isContradicted, audited } = audit;
    for (const other of others) {
      const mayEnd = isContradicted || voters.length > claims.length;
      if (mayEnd && judge(voters, audit).kind === 'AGREED') return;
      if (!other.isAvailable) continue; // since the list was made
      voters.push(await this.#recompute(other, audited));
    }
  }

  async #recompute<E extends EngineClient>(engine: E, { input, strategy, context }: Audited): Promise<Voter<E>> {
    const { observer, onDispute } = this.#options;
    const voter = newVoter(engine);
    const limits = { deadlineMs: voter.startedMs + TIMEOUT_MS, signal: new Cancel() };
    // In full half of the time, so that an engine cannot tell an audit from a request.
    const digestOnly = !wantsLayers(input) && Math.random() < 0.5;
    let answer: Inference;
    try {
      const audited = { ...input, digestOnly };
      answer = await engine.infer(audited, limits, engine.attemptMs(audited, TIMEOUT_MS));
    } catch (thrown) {
      // A refusal is its ballot. Where it fails it is absent: its breaker has heard of it.
      const error = RouterError.from(thrown);
      recordError(voter, error);
      const audited = { input, strategy, span: context?.span };
      const dispute = malformedDispute(engine.id, error, voter.durationMs, audited);
      if (dispute !== undefined) onDispute(dispute);
      return voter;
    }
    voter.isWaiting = false;
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

/** Of all that was said to a request without a vote, at most one is an answer. */
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

/** Where two differ, it takes more than half of all engines to say who is wrong: a few that lie alike must not. */
function judge<E>(voters: readonly Voter<E>[], { all }: OneAudit<E>): Verdict {
  const ballots = voters.map(({ ballot }) => ballot);
  const quick = verdict(ballots, POLICY);
  if (quick.kind === 'AGREED' && quick.grade === 'UNANIMOUS') return quick;
  return verdict(ballots, { ...POLICY, participants: Math.max(POLICY.participants, all) });
}

/** Another kind of engine first: copies of one binary share its bugs. Within a kind, by chance. */
function peers<E extends EngineClient>(claims: readonly Claim<E>[], engines: readonly E[]): readonly E[] {
  const { kind } = claims[0]!.engine;
  const others = engines.filter((other) => other.isAvailable && claims.every(({ engine }) => engine !== other));
  const [first] = others.splice(Math.floor(Math.random() * others.length), 1);
  const mixed = first === undefined ? [] : [first, ...others];
  return mixed.sort((a, b) => Number(a.kind === kind) - Number(b.kind === kind));
}
