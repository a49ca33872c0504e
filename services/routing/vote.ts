// REDUNDANT: several engines compute the same input, and what enough of them agree on is the answer. When to ask whom, and
// what the ballots come to, is decided in voting/; here the engines are asked.
import { type ErrorKind, RouterError } from '../core/errors.ts';
import { hex64 } from '../core/hex.ts';
import type { Inference } from '../core/inference.ts';
import type { VerdictName } from '../core/observer.ts';
import type { EngineKind, VotePolicy } from '../voting/policy.ts';
import { type More, progress } from '../voting/progress.ts';
import type { Ballot } from '../voting/tally.ts';
import { type Verdict, verdict } from '../voting/verdict.ts';
import type { Answered } from './attempt.ts';
import { type Askable, type Asking, ask, isFinal } from './ask.ts';
import { type Voter, digestOf, hear, isHollow, isVotedFor, isWhole, newVoter, toCast } from './ballot.ts';
import type { ReadoutSpec } from './conclusion.ts';
import type { CastBallot } from './dispute.ts';
import { noEngine } from './no-engine.ts';

export interface Voted<E> extends Answered<E> {
  readonly grade: 'UNANIMOUS' | 'MAJORITY' | 'PLURALITY' | 'SINGLE';
  /** Whether it is what the policy asks for, not what it accepts for want of that. */
  readonly isFirm: boolean;
  readonly ballots: readonly CastBallot[];
}

/**
 * Once decided, the engines still computing get as long again as that took to say what they think, but at least this, so
 * that a dissenter is named though it is slower than the majority. Asked at the same time, they are seldom this late.
 */
const GRACE_MIN_MS = 5;

/** Rejects with VOTE_DISPUTED, VOTE_TOO_FEW, NO_ENGINE, or what most engines refused the input with. */
export async function vote<E extends Askable>(
  plan: readonly E[],
  policy: VotePolicy,
  spec: ReadoutSpec,
  asking: Asking,
): Promise<Voted<E>> {
  const { context } = asking;
  const election = new Election(plan, policy, spec, asking);
  try {
    await election.run();
  } finally {
    election.close();
  }
  if (context.signal.aborted) throw RouterError.from(context.signal.reason);

  const { voters } = election;
  const result = verdict(election.ballots(), policy);
  const ballots = voters.map((voter, place) => toCast(voter, result.outcomes[place] ?? 'ABSENT'));
  report(result, voters, ballots, policy, asking);
  switch (result.kind) {
    case 'AGREED':
    case 'ACCEPTED': {
      const answered = await wholeAnswer(voters, result, asking);
      return { ...answered, grade: result.grade, isFirm: result.kind === 'AGREED', ballots };
    }
    case 'DISPUTED':
      throw disputed(ballots);
    case 'TOO_FEW':
      throw commonRefusal(voters, result.needed) ?? tooFew(`${result.needed} engines`, asking, voters);
    case 'TOO_FEW_KINDS':
      throw tooFew(`${result.needed} kinds of engine`, asking, voters);
  }
}

/** Asks engines until enough agree, as voting/progress.ts says. */
class Election<E extends Askable> {
  readonly voters: Voter<E>[] = [];
  readonly #policy: VotePolicy;
  readonly #spec: ReadoutSpec;
  readonly #asking: Asking;
  readonly #stragglers = new AbortController();
  readonly #callerSignal: AbortSignal;
  #left: readonly E[];
  #onBallot: () => void = () => undefined;
  readonly #onCallerAbort = (): void => this.#stragglers.abort(this.#callerSignal.reason);

  constructor(plan: readonly E[], policy: VotePolicy, spec: ReadoutSpec, asking: Asking) {
    const { signal } = asking.context;
    this.#callerSignal = signal;
    signal.addEventListener('abort', this.#onCallerAbort, { once: true });
    this.#policy = policy;
    this.#spec = spec;
    this.#left = plan;
    this.#asking = { ...asking, as: 'ballot', context: { ...asking.context, signal: this.#stragglers.signal } };
  }

  ballots(): Ballot[] {
    return this.voters.filter(({ isWaiting }) => !isWaiting).map(({ ballot }) => ballot);
  }

  /** Resolves when the verdict is certain, or nobody is left to ask. */
  async run(): Promise<void> {
    const startedMs = performance.now();
    for (;;) {
      const { isDecided, more } = progress(this.ballots(), this.#waiting(), this.#policy);
      if (isDecided) break;
      if (!this.#callerSignal.aborted) this.#askMore(more);
      if (!this.#isWaiting()) break;
      await this.#nextBallot();
    }
    if (this.#isWaiting()) await this.#hearStragglers(Math.max(GRACE_MIN_MS, performance.now() - startedMs));
  }

  /** Whoever is still computing need not go on. */
  close(): void {
    this.#callerSignal.removeEventListener('abort', this.#onCallerAbort);
    if (!this.#isWaiting()) return;
    this.#stragglers.abort(new RouterError('CANCELLED', 'the vote was decided without it'));
    // In the order of asking, those that were not heard are absent.
    for (const voter of this.voters) voter.isWaiting = false;
  }

  async #hearStragglers(graceMs: number): Promise<void> {
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
    for (let asked = 0; asked < count; asked += 1) {
      const engine = this.#takeNext(kinds[asked]);
      const isStandIn = asked >= count - standIns;
      if (engine === undefined || (isStandIn && !this.#asking.options.budget.withdraw())) return;
      void this.#ask(engine);
    }
  }

  /** The next of the plan that may be asked, of `kind` if there is one. */
  #takeNext(kind: EngineKind | undefined): E | undefined {
    const able = this.#left.filter(({ admits }) => admits);
    const next = able.find((engine) => kind === undefined || engine.kind === kind) ?? able[0];
    this.#left = able.filter((engine) => engine !== next);
    return next;
  }

  async #ask(engine: E): Promise<void> {
    const { input, options } = this.#asking;
    // One whole answer is enough where the others need only prove that theirs would be the same.
    const isExact = this.#policy.compare.kind === 'EXACT';
    const digestOnly = isExact && this.voters.length > 0;
    const voter = newVoter(engine);
    this.voters.push(voter);
    let answer: Inference | undefined;
    try {
      answer = await ask(engine, { ...this.#asking, input: { ...input, digestOnly } }, options.attemptTimeoutMs);
      if (isHollow(answer)) throw noDigest(engine);
    } catch (thrown) {
      answer = undefined;
      voter.absence = RouterError.from(thrown);
      if (isFinal(voter.absence, this.#asking.context) && voter.absence.kind !== 'CANCELLED') this.#left = [];
    }
    if (voter.isWaiting) hear(voter, answer, isExact ? undefined : this.#spec); // else the vote is over
    this.#onBallot();
  }
}

function noDigest({ id }: Askable): RouterError {
  return new RouterError('ENGINE_FAULT', `engine "${id}" gave neither a whole answer nor the digest of one`);
}

/**
 * Where only digests won, an engine that gave them is asked for all of its answer. It must be the one it voted for: who
 * gives another contradicts itself, and is told of like a dissenter.
 *
 * It is a retry, and comes out of that budget, where an engine was lost; liars are not load.
 */
async function wholeAnswer<E extends Askable>(
  voters: readonly Voter<E>[],
  result: Extract<Verdict, { winner: number }>,
  asking: Asking,
): Promise<Answered<E>> {
  const winner = voters[result.winner] as Voter<E> & { answer: Inference };
  if (isWhole(winner.answer)) return { engine: winner.engine, inference: winner.answer };
  const { context, options, attempts } = asking;
  const { ballot } = winner;
  let last: RouterError | undefined;
  let isRetry = voters[0]?.answer === undefined;
  for (const voter of voters) {
    const { engine, answer } = voter;
    if (answer === undefined || !isVotedFor(ballot, answer) || !engine.admits) continue;
    if (isRetry && !options.budget.withdraw()) break;
    try {
      const inference = await ask(engine, asking, options.attemptTimeoutMs);
      if (isVotedFor(ballot, inference)) return { engine, inference };
      const message = `engine "${engine.id}" voted for one answer and gave another`;
      last = new RouterError('ENGINE_FAULT', message);
      denounce(voter, inference, result, voters, asking);
    } catch (thrown) {
      last = RouterError.from(thrown);
      isRetry = true;
      // Whatever it is: the engine had an answer before, so that another one may still have it.
      if (context.signal.aborted || performance.now() >= context.deadlineMs) throw last;
    }
  }
  throw noEngine(options.pool, attempts, last);
}

/** An engine voted with the others and then gave something else. */
function denounce<E extends Askable>(
  liar: Voter<E>,
  given: Inference,
  result: Extract<Verdict, { winner: number }>,
  voters: readonly Voter<E>[],
  { input, options, strategy, context }: Asking,
): void {
  const ballots = voters.map((voter, place) =>
    voter === liar
      ? {
          ...toCast(voter, 'DISSENTED'),
          ...{ stateDigest: given.stateDigest, readoutDigest: digestOf(given), recordingId: given.recordingId },
        }
      : toCast(voter, result.outcomes[place] ?? 'ABSENT'),
  );
  const right = result.kind === 'AGREED' ? liar.ballot.answer : undefined;
  options.onDispute({
    input,
    strategy,
    verdict: 'CONTRADICTED_ITSELF',
    ballots,
    wrong: [liar.engine.id],
    right,
    span: context.span,
  });
}

function report<E extends Askable>(
  result: Verdict,
  voters: readonly Voter<E>[],
  ballots: readonly CastBallot[],
  { compare }: VotePolicy,
  { input, options, strategy, context }: Asking,
): void {
  const isWon = result.kind === 'AGREED' || result.kind === 'ACCEPTED';
  const dissenters = voters.filter((_, place) => result.outcomes[place] === 'DISSENTED').map(({ engine }) => engine);
  const name = nameOf(result);
  options.observer.voted(
    name,
    dissenters.map(({ id }) => id),
  );
  if (dissenters.length === 0) return;
  // Only a strict majority, to the bit, says who is wrong.
  const isCertain = result.kind === 'AGREED' && compare.kind === 'EXACT';
  options.onDispute({
    input,
    strategy,
    verdict: name,
    ballots,
    wrong: isCertain ? dissenters.map(({ id }) => id) : [],
    right: isWon ? voters[result.winner]?.ballot.answer : undefined,
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
  const digests = ballots.map(({ engineId, stateDigest }) => {
    return `${engineId}: ${stateDigest === undefined ? 'absent' : hex64(stateDigest)}`;
  });
  const message = `the engines gave different answers and not enough agree (${digests.join(', ')}); at least one of them is wrong`;
  return new RouterError('VOTE_DISPUTED', message, { metadata: { ballots: digests.join(', ') } });
}

/** What `needed` engines refused the input with is the verdict on the input. */
function commonRefusal<E extends Askable>(voters: readonly Voter<E>[], needed: number): RouterError | undefined {
  const refusals = voters.flatMap(({ absence }) => (absence !== undefined && !absence.retryable ? [absence] : []));
  const counts = new Map<ErrorKind, number>();
  for (const { kind } of refusals) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return refusals.find(({ kind }) => (counts.get(kind) ?? 0) >= needed);
}

function tooFew<E extends Askable>(
  what: string,
  { options, attempts }: Asking,
  voters: readonly Voter<E>[],
): RouterError {
  const { message, metadata, retryAfterMs } = noEngine(options.pool, attempts, voters.at(-1)?.absence);
  const voted = voters.filter(({ answer }) => answer !== undefined).length;
  return new RouterError('VOTE_TOO_FEW', `a vote needs ${what} and ${voted} voted: ${message}`, {
    metadata,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
