// REDUNDANT: several engines compute the same input at once, and what most of them agree on is the answer.
import { type ErrorKind, RouterError } from '../core/errors.ts';
import type { Inference } from '../core/inference.ts';
import { type BallotOutcome, isDecided, verdict } from '../voting/verdict.ts';
import type { Answered } from './attempt.ts';
import { type Askable, type Asking, ask, isFinal } from './ask.ts';
import { noEngine } from './no-engine.ts';

export interface CastBallot {
  readonly engineId: string;
  /** Undefined: absent. */
  readonly stateDigest: bigint | undefined;
  readonly outcome: BallotOutcome;
  /** Why it is absent; else empty. */
  readonly why: string;
  readonly durationMs: number;
}

export interface Voted<E> extends Answered<E> {
  readonly grade: 'UNANIMOUS' | 'MAJORITY';
  readonly ballots: readonly CastBallot[];
}

interface Voter<E> {
  readonly engine: E;
  readonly startedMs: number;
  durationMs: number;
  answer: Inference | undefined;
  absence: RouterError | undefined;
}

/**
 * Once decided, the engines still computing get as long again as that took to say what they think, but at least this, so
 * that a dissenter is named though it is slower than the majority. Asked at the same time, they are seldom this late.
 */
const GRACE_MIN_MS = 5;

/** Rejects with VOTE_DISPUTED, VOTE_TOO_FEW, NO_ENGINE, or what most engines refused the input with. */
export async function vote<E extends Askable>(
  plan: readonly E[],
  participants: number,
  asking: Asking,
): Promise<Voted<E>> {
  const { context, options } = asking;
  const election = new Election(plan, participants, asking);
  try {
    await election.run();
  } finally {
    election.close();
  }
  if (context.signal.aborted) throw RouterError.from(context.signal.reason);

  const { voters } = election;
  const result = verdict(voters.map(toBallot), { majorityOf: participants });
  const outcomes = result.kind === 'TOO_FEW' ? [] : result.outcomes;
  const dissenters = voters.filter((_, k) => outcomes[k] === 'DISSENTED').map(({ engine }) => engine.id);
  options.observer.voted(result.kind === 'AGREED' ? result.grade : result.kind, dissenters);
  const ballots = voters.map((voter, k) => toCast(voter, outcomes[k] ?? 'ABSENT'));
  switch (result.kind) {
    case 'AGREED': {
      const { engine, answer } = voters[result.winner] as Voter<E> & { answer: Inference };
      return { engine, inference: answer, grade: result.grade, ballots };
    }
    case 'DISPUTED':
      throw disputed(ballots);
    case 'TOO_FEW':
      throw commonRefusal(voters, result.needed) ?? tooFew(asking, voters, result.needed);
  }
}

/** Asks `participants` engines at once, and one more for each that fails. */
class Election<E extends Askable> {
  readonly voters: Voter<E>[] = [];
  readonly #participants: number;
  readonly #asking: Asking;
  readonly #stragglers = new AbortController();
  readonly #next: Iterator<E>;
  #waiting = 0;
  #onBallot: () => void = () => undefined;
  readonly #onCallerAbort = (): void => this.#stragglers.abort(this.#asking.context.signal.reason);

  constructor(plan: readonly E[], participants: number, asking: Asking) {
    const { signal, deadlineMs } = asking.context;
    signal.addEventListener('abort', this.#onCallerAbort, { once: true });
    this.#participants = participants;
    this.#asking = { ...asking, context: { deadlineMs, signal: this.#stragglers.signal } };
    this.#next = plan[Symbol.iterator]();
  }

  /** Resolves when all have voted, or the lead cannot be lost and the others have had their time. */
  async run(): Promise<void> {
    const startedMs = performance.now();
    while (this.#waiting < this.#participants && this.#askNext());
    while (this.#waiting > 0 && !this.#isDecided) await this.#nextBallot();
    if (this.#waiting === 0) return;
    const graceMs = Math.max(GRACE_MIN_MS, performance.now() - startedMs);
    const timer = setTimeout(() => {
      this.#waiting = 0;
      this.#onBallot();
    }, graceMs);
    while (this.#waiting > 0) await this.#nextBallot();
    clearTimeout(timer);
  }

  /** Whoever is still computing need not go on. */
  close(): void {
    this.#asking.context.signal.removeEventListener('abort', this.#onCallerAbort);
    this.#stragglers.abort(new RouterError('CANCELLED', 'the vote was decided without it'));
  }

  get #isDecided(): boolean {
    return isDecided(this.voters.map(toBallot), this.#waiting, { majorityOf: this.#participants });
  }

  #nextBallot(): Promise<void> {
    return new Promise((resolve) => (this.#onBallot = resolve));
  }

  #askNext(): boolean {
    for (let next = this.#next.next(); !next.done; next = this.#next.next()) {
      if (!next.value.admits) continue;
      void this.#ask(next.value);
      return true;
    }
    return false;
  }

  async #ask(engine: E): Promise<void> {
    const { attemptTimeoutMs, budget } = this.#asking.options;
    const startedMs = performance.now();
    const voter: Voter<E> = { engine, startedMs, durationMs: 0, answer: undefined, absence: undefined };
    this.voters.push(voter);
    this.#waiting += 1;
    try {
      voter.answer = await ask(engine, this.#asking, attemptTimeoutMs);
    } catch (thrown) {
      voter.absence = RouterError.from(thrown);
      if (!isFinal(voter.absence, this.#asking.context) && budget.withdraw()) this.#askNext();
    }
    voter.durationMs = performance.now() - startedMs;
    this.#waiting -= 1;
    this.#onBallot();
  }
}

function toBallot<E extends Askable>({
  engine,
  answer,
}: Voter<E>): { engineId: string; answer: Inference | undefined } {
  return { engineId: engine.id, answer };
}

function toCast<E extends Askable>(voter: Voter<E>, outcome: BallotOutcome): CastBallot {
  const { engine, answer, absence, startedMs, durationMs } = voter;
  return {
    engineId: engine.id,
    stateDigest: answer?.stateDigest,
    outcome,
    why: answer === undefined ? (absence?.kind ?? 'CANCELLED') : '',
    durationMs: durationMs || performance.now() - startedMs,
  };
}

function disputed(ballots: readonly CastBallot[]): RouterError {
  const digests = ballots.map(({ engineId, stateDigest }) => {
    return `${engineId}: ${stateDigest?.toString(16).padStart(16, '0') ?? 'absent'}`;
  });
  const message = `the engines gave different answers and none has a majority (${digests.join(', ')}); at least one of them is wrong`;
  return new RouterError('VOTE_DISPUTED', message, { metadata: { ballots: digests.join(', ') } });
}

/** What `needed` engines refused the input with is the verdict on the input. */
function commonRefusal<E>(voters: readonly Voter<E>[], needed: number): RouterError | undefined {
  const refusals = voters.flatMap(({ absence }) => (absence !== undefined && !absence.retryable ? [absence] : []));
  const counts = new Map<ErrorKind, number>();
  for (const { kind } of refusals) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return refusals.find(({ kind }) => (counts.get(kind) ?? 0) >= needed);
}

function tooFew<E extends Askable>(asking: Asking, voters: readonly Voter<E>[], needed: number): RouterError {
  const { options, attempts } = asking;
  const { message, metadata, retryAfterMs } = noEngine(options.pool, attempts, voters.at(-1)?.absence);
  const voted = voters.filter(({ answer }) => answer !== undefined).length;
  return new RouterError('VOTE_TOO_FEW', `a vote needs ${needed} engines and ${voted} answered: ${message}`, {
    metadata,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
