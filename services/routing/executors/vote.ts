// REDUNDANT: several engines compute the same input, and the answer is the one on which enough of them agree. voting/
// decides when to ask which engine and what the verdict is; this file asks the engines.
//
// A vote decides the caller's answer. It decides which engine is wrong only if those that agree are more than half of
// all usable engines, because of five engines, two equal liars can win a vote of three. Otherwise an audit asks the
// others.
import { throwIfCancelled } from '../../core/call.ts';
import { Cancel, type CancelSignal } from '../../core/cancel.ts';
import { RouterError } from '../../core/errors.ts';
import { hex64 } from '../../core/hex.ts';
import type { VerdictName } from '../../core/observer.ts';
import { isRefusal } from '../../core/refusal.ts';
import type { EngineKind, VotePolicy } from '../../voting/policy.ts';
import { type More, progress } from '../../voting/progress.ts';
import type { Ballot } from '../../voting/tally.ts';
import { type Verdict, verdict } from '../../voting/verdict.ts';
import { type EngineClient, type AttemptContext, attempt, isFinal, isUncounted } from '../attempt.ts';
import { ballotTimeMs } from '../attempt-time.ts';
import { type Voter, digestsOf, isEmpty, newVoter, toBallot } from '../ballot.ts';
import { recordAnswer, recordError, wantsLayers } from '../ballot.ts';
import type { ReadoutSpec } from '../conclusion.ts';
import { confirmed, unconfirmed } from '../confirmed.ts';
import type { CastBallot } from '../dispute.ts';
import type { Claim, Execution, Executor, Outcome } from '../executor.ts';
import { noEngine } from '../no-engine.ts';
import { wholeAnswer } from '../whole-answer.ts';

/**
 * After the decision, engines that still compute get as long again as the vote took, but at least this, so that a
 * dissenter slower than the majority is named. Engines asked at the same time are rarely this late.
 */
const GRACE_MIN_MS = 5;

/** Rejects with VOTE_DISPUTED, VOTE_TOO_FEW, an error of no-engine.ts, or the refusal that won. */
export const vote: Executor = async (execution) => {
  const { plan, context } = execution;
  const policy = execution.policy!;
  const election = new Election(execution, policy);
  try {
    await election.run();
  } finally {
    election.close();
  }
  throwIfCancelled(context);

  const { voters } = election;
  const result = verdict(election.ballots(), policy);
  const ballots = voters.map((voter, index) => toBallot(voter, result.outcomes[index] ?? 'ABSENT'));
  const isSure = hasMajority(result, plan.length);
  report(result, isSure, voters, ballots, policy, execution);
  try {
    return await conclusion(result, isSure, voters, ballots, execution);
  } finally {
    const claims = claimsOf(result, voters);
    const isContradicted = result.outcomes.includes('DISSENTED') && policy.compare.kind === 'EXACT';
    if (isContradicted && !isSure && claims.length < plan.length) execution.contradicted(claims);
  }
};

async function conclusion<E extends EngineClient>(
  result: Verdict,
  isSure: boolean,
  voters: readonly Voter<E>[],
  ballots: readonly CastBallot[],
  execution: Execution<E>,
): Promise<Outcome<E>> {
  switch (result.kind) {
    case 'AGREED':
    case 'ACCEPTED': {
      const { refusal } = voters[result.winner]!;
      if (refusal !== undefined) throw wonBy(refusal, ballots);
      const onOther = (claim: Claim<E>): void => execution.contradicted([...claimsOf(result, voters), claim]);
      const answered = await wholeAnswer({ plan: execution.plan, voters, result, isSure, request: execution, onOther });
      return { ...answered, grade: result.grade, isFirm: result.kind === 'AGREED', ballots };
    }
    case 'DISPUTED':
      throw disputed(ballots);
    case 'TOO_FEW':
      throw tooFew(`${result.needed} engines`, execution, voters);
    case 'TOO_FEW_KINDS':
      throw tooFew(`${result.needed} kinds of engine`, execution, voters);
  }
}

/** Whether those that agree with the winning answer are more than half of all engines. */
function hasMajority(result: Verdict, engines: number): boolean {
  return result.kind === 'AGREED' && 2 * result.outcomes.filter((each) => each === 'AGREED').length > engines;
}

/** All answers and refusals, the winning answer first. */
function claimsOf<E>(result: Verdict, voters: readonly Voter<E>[]): Claim<E>[] {
  const winner = 'winner' in result ? voters[result.winner] : undefined;
  const ordered = winner === undefined ? voters : [winner, ...voters.filter((voter) => voter !== winner)];
  return ordered.flatMap(({ engine, answer, refusal, durationMs }) => {
    const said = refusal ?? answer;
    return said === undefined ? [] : [{ engine, said, durationMs }];
  });
}

/** Asks engines until enough agree, according to voting/progress.ts. */
class Election<E extends EngineClient> {
  readonly voters: Voter<E>[] = [];
  readonly #policy: VotePolicy;
  readonly #readout: ReadoutSpec;
  readonly #request: AttemptContext;
  readonly #stragglers = new Cancel();
  readonly #callerSignal: CancelSignal;
  #left: readonly E[];
  /** Ends the wait for a free slot; undefined: not waiting. */
  #stopWaiting: (() => void) | undefined;
  /** Whether waiting for a free slot is still allowed. */
  #mayWait = true;
  /** Absent engines that count as not asked: the same number of stand-ins are not retries. */
  #uncounted = 0;
  #onBallot: () => void = () => undefined;
  readonly #onCallerAbort = (): void => {
    this.#endWaiting();
    this.#stragglers.abort(RouterError.from(this.#callerSignal.reason));
    this.#onBallot();
  };

  constructor(execution: Execution<E>, policy: VotePolicy) {
    const { input, context, options, strategy, attempts, plan, readout } = execution;
    const { signal } = context;
    this.#callerSignal = signal;
    signal.addEventListener('abort', this.#onCallerAbort);
    this.#policy = policy;
    this.#readout = readout;
    this.#left = plan;
    const limits = { deadlineMs: context.deadlineMs, signal: this.#stragglers, span: context.span };
    this.#request = { input, context: limits, options, strategy, attempts, as: 'ballot' };
  }

  ballots(): Ballot[] {
    return this.voters.filter(({ isWaiting }) => !isWaiting).map(({ ballot }) => ballot);
  }

  /** Resolves when the verdict is certain, or no engine is left to ask. */
  async run(): Promise<void> {
    const startedMs = performance.now();
    for (;;) {
      const { isDecided, more } = progress(this.ballots(), this.#waiting(), this.#policy);
      if (isDecided) break;
      if (!this.#callerSignal.aborted) this.#askMore(more);
      if (!this.#isWaiting() && this.#stopWaiting === undefined) break;
      await this.#nextBallot();
    }
    this.#endWaiting();
    if (this.#isWaiting()) await this.#awaitStragglers(Math.max(GRACE_MIN_MS, performance.now() - startedMs));
  }

  /** Cancels engines that still compute. */
  close(): void {
    this.#callerSignal.removeEventListener('abort', this.#onCallerAbort);
    if (!this.#isWaiting()) return;
    this.#stragglers.abort(new RouterError('CANCELLED', 'the vote was decided without it'));
    // In order of request; engines without an answer are absent.
    for (const voter of this.voters) voter.isWaiting = false;
  }

  async #awaitStragglers(graceMs: number): Promise<void> {
    const all = async (): Promise<void> => {
      while (this.#isWaiting()) await this.#nextBallot();
    };
    const { promise: late, resolve } = Promise.withResolvers<unknown>();
    const timer = setTimeout(resolve, graceMs);
    await Promise.race([all(), late]);
    clearTimeout(timer);
  }

  #isWaiting(): boolean {
    return this.voters.some(({ isWaiting }) => isWaiting);
  }

  #waiting(): EngineKind[] {
    return this.voters.filter(({ isWaiting }) => isWaiting).map(({ engine }) => engine.kind);
  }

  #nextBallot(): Promise<void> {
    return new Promise((resolve) => (this.#onBallot = resolve));
  }

  #askMore({ count, kinds, standIns }: More): void {
    this.#endWaiting();
    for (let started = 0; started < count; started += 1) {
      const able = this.#able(kinds[started]);
      const engine = able.find(({ availableSlots }) => availableSlots > 0);
      if (engine === undefined) {
        if (able.length > 0 && this.#mayWait) this.#waitForRoom(able);
        return;
      }
      const isStandIn = started >= count - standIns;
      if (isStandIn && !this.#payForStandIn()) return;
      this.#left = this.#left.filter((other) => other !== engine);
      void this.#attempt(engine, count - started - 1);
    }
  }

  #waitForRoom(engines: readonly E[]): void {
    const { options, context } = this.#request;
    const startedMs = performance.now();
    this.#stopWaiting = options.admission.waitForRoom(engines, context.deadlineMs, (isWorthwhile) => {
      if (!isWorthwhile) {
        this.#mayWait = false;
        for (const engine of engines) this.#hasNoRoom(engine, performance.now() - startedMs);
      }
      // Asks at once while there is a free slot: run() would ask one turn later.
      const { isDecided, more } = progress(this.ballots(), this.#waiting(), this.#policy);
      if (!isDecided) this.#askMore(more);
      this.#onBallot();
    });
  }

  /** It is absent without having been asked. */
  #hasNoRoom(engine: E, waitedMs: number): void {
    const voter = newVoter(engine);
    const message = `engine "${engine.id}" had no room for ${Math.round(waitedMs)} ms`;
    recordError(voter, new RouterError('ENGINE_FULL', message));
    voter.durationMs = waitedMs;
    voter.isAsked = false;
    this.voters.push(voter);
    this.#left = this.#left.filter((other) => other !== engine);
  }

  #endWaiting(): void {
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
  }

  /** Whether an engine is left to replace an absent one, in addition to the `seats` that are asked anyway. */
  #hasStandIn(seats: number): boolean {
    const left = this.#left.filter(({ isAvailable }) => isAvailable).length;
    const isUncounted = this.#uncounted > 0 || this.voters.length + seats < this.#policy.participants;
    return left > seats && (isUncounted || !this.#request.options.budget.isEmpty);
  }

  #payForStandIn(): boolean {
    if (this.#uncounted === 0) return this.#request.options.budget.withdraw();
    this.#uncounted -= 1;
    return true;
  }

  /** The usable engines of the plan; of `kind`, if there are any. */
  #able(kind: EngineKind | undefined): readonly E[] {
    const able = this.#left.filter(({ isAvailable }) => isAvailable);
    const ofKind = able.filter((engine) => kind === undefined || engine.kind === kind);
    return ofKind.length > 0 ? ofKind : able;
  }

  /** `seats`: number asked at once besides it. */
  async #attempt(engine: E, seats: number): Promise<void> {
    const { input } = this.#request;
    // One whole answer is enough if the others only need to prove that theirs is equal. No digest from an engine covers
    // the layers, so with layers each engine returns its whole answer.
    const isExact = this.#policy.compare.kind === 'EXACT';
    const digestOnly = isExact && this.voters.length > 0 && !wantsLayers(input);
    const voter = newVoter(engine);
    this.voters.push(voter);
    try {
      const request = { ...this.#request, input: { ...input, digestOnly } };
      const answer = await attempt(
        engine,
        request,
        ballotTimeMs(engine, request, this.#hasStandIn(seats), voter.startedMs),
      );
      if (isEmpty(answer)) throw noDigest(engine);
      // Else the vote is over.
      if (voter.isWaiting) recordAnswer(voter, answer, isExact ? undefined : this.#readout);
    } catch (thrown) {
      this.#failed(voter, RouterError.from(thrown));
    }
    this.#onBallot();
  }

  #failed(voter: Voter<E>, error: RouterError): void {
    if (!voter.isWaiting) return;
    recordError(voter, error);
    if (isRefusal(error)) return;
    if (isUncounted(error, this.#left)) this.#uncounted += 1;
    else if (isFinal(error, this.#request.context) && error.kind !== 'CANCELLED') this.#left = [];
  }
}

function noDigest({ id }: EngineClient): RouterError {
  return new RouterError('ENGINE_FAULT', `engine "${id}" gave neither a whole answer nor the digest of one`);
}

function report<E extends EngineClient>(
  result: Verdict,
  isSure: boolean,
  voters: readonly Voter<E>[],
  ballots: readonly CastBallot[],
  { compare }: VotePolicy,
  { input, options, strategy, context }: AttemptContext,
): void {
  const isWon = result.kind === 'AGREED' || result.kind === 'ACCEPTED';
  const winner = isWon ? voters[result.winner] : undefined;
  const dissenters = voters.filter((_, index) => result.outcomes[index] === 'DISSENTED');
  const name = nameOf(result);
  options.observer.voted(
    name,
    dissenters.map(({ engine }) => engine.id),
  );
  if (dissenters.length === 0) return;
  // Only more than half of all engines decide which one is wrong: by bits, or if one answers what the other refuses.
  const isWrong = ({ refusal }: Voter<E>): boolean =>
    compare.kind === 'EXACT' || refusal !== undefined || winner?.refusal !== undefined;
  const wrong = isSure ? dissenters.filter(isWrong) : [];
  options.onDispute({
    input,
    strategy,
    verdict: name,
    ballots,
    wrong: wrong.map(({ engine }) => engine.id),
    right: isSure && winner !== undefined && compare.kind === 'EXACT' ? digestsOf(winner) : undefined,
    span: context.span,
  });
}

function nameOf(result: Verdict): VerdictName {
  if (result.kind === 'DISPUTED') return 'DISPUTED';
  if (result.kind === 'TOO_FEW' || result.kind === 'TOO_FEW_KINDS') return 'TOO_FEW';
  if (result.grade === 'PLURALITY') return 'PLURALITY';
  if (result.kind === 'ACCEPTED') return 'DEGRADED';
  return result.grade === 'UNANIMOUS' ? 'UNANIMOUS' : 'MAJORITY';
}

function disputed(ballots: readonly CastBallot[]): RouterError {
  const digests = ballots.map(({ engineId, stateDigest, outcome, why }) => {
    const refused = outcome === 'ABSENT' ? 'absent' : why;
    return `${engineId}: ${stateDigest === undefined ? refused : hex64(stateDigest)}`;
  });
  const message = `the engines gave different answers and not enough agree (${digests.join(', ')}); at least one of them is wrong`;
  return new RouterError('VOTE_DISPUTED', message, { metadata: { ballots: digests.join(', ') } });
}

/** The winning refusal, worded for the caller. */
function wonBy(refusal: RouterError, ballots: readonly CastBallot[]): RouterError {
  const agreed = ballots.filter(({ outcome }) => outcome === 'AGREED').map(({ engineId }) => engineId);
  return agreed.length > 1 ? confirmed(refusal, agreed) : unconfirmed(refusal);
}

function tooFew<E extends EngineClient>(
  what: string,
  { options, attempts }: AttemptContext,
  voters: readonly Voter<E>[],
): RouterError {
  const unasked = voters.filter(({ isAsked }) => !isAsked);
  const tried = unasked.map(
    ({ engine, durationMs }) => ({ engineId: engine.id, outcome: 'ENGINE_FULL', durationMs }) as const,
  );
  const error = noEngine(options.pool, [...attempts, ...tried], voters.at(-1)?.absence);
  // The input or the pool is the reason that none could vote.
  if (error.kind !== 'NO_ENGINE') return error;
  const { message, metadata, retryAfterMs } = error;
  const voted = voters.filter(({ ballot }) => ballot.answer !== undefined).length;
  return new RouterError('VOTE_TOO_FEW', `a vote needs ${what} and ${voted} voted: ${message}`, {
    metadata,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
