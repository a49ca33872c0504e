// If only digests have won a vote, fetches the whole answer from an engine. It must be complete and equal to the
// winning one.
//
// First it asks engines that voted for it: one that returns anything else, or refuses now, contradicts itself and is
// reported like a dissenter. Then, since these may be gone, engines that have not voted: one that returns anything else
// contradicts the winners.
//
// It is charged to the retry budget only if an engine was lost; liars do not cause load.
import { isOver } from '../core/call.ts';
import { RouterError } from '../core/errors.ts';
import type { Inference } from '../core/inference.ts';
import { isRefusal, refusalKey } from '../core/refusal.ts';
import type { Verdict } from '../voting/verdict.ts';
import { type EngineClient, type AttemptContext, attempt } from './attempt.ts';
import { ballotTimeMs } from './attempt-time.ts';
import { type Voter, digestOf, digestsOf, isComplete, isVotedFor, toBallot } from './ballot.ts';
import type { CastBallot } from './dispute.ts';
import type { Answered, Claim } from './executor.ts';
import { noEngine } from './no-engine.ts';

interface WonVote<E> {
  /** All engines that hold the model. */
  readonly plan: readonly E[];
  readonly voters: readonly Voter<E>[];
  readonly result: Extract<Verdict, { winner: number }>;
  /** Whether those that agree are more than half of all engines. */
  readonly isSure: boolean;
  readonly request: AttemptContext;
  /** An engine that had not voted returned something other than the winning answer. */
  readonly onOther: (claim: Claim<E>) => void;
}

/** Rejects with an error of no-engine.ts, or with the caller's reason to leave. */
export async function wholeAnswer<E extends EngineClient>(won: WonVote<E>): Promise<Answered<E>> {
  const { plan, voters, result, request, onOther } = won;
  const winner = voters[result.winner] as Voter<E> & { answer: Inference };
  if (isComplete(winner.answer)) return { engine: winner.engine, inference: winner.answer };
  const { ballot } = winner;
  const { context, options, attempts } = request;
  const candidates = candidatesOf(plan, voters, winner);
  let last: RouterError | undefined;
  let isRetry = voters[0]?.ballot.answer === undefined;
  for (const [index, { engine, voter }] of candidates.entries()) {
    if (!engine.isAvailable) continue;
    if (isRetry && !options.budget.withdraw()) break;
    const startedMs = performance.now();
    const hasStandIn = candidates.slice(index + 1).some((other) => other.engine.isAvailable);
    let said: Inference | RouterError;
    try {
      said = await attempt(engine, request, ballotTimeMs(engine, request, hasStandIn, startedMs));
      if (isComplete(said) && isVotedFor(ballot, said)) return { engine, inference: said };
      last = new RouterError('ENGINE_FAULT', `engine "${engine.id}" gave another answer than the one that won`);
    } catch (thrown) {
      last = said = RouterError.from(thrown);
      if (!isRefusal(last)) {
        isRetry = true;
        // Whatever it is: others may have the answer.
        if (isOver(context)) throw last;
        continue;
      }
    }
    if (voter === undefined) onOther({ engine, said, durationMs: performance.now() - startedMs });
    else reportContradiction(voter, said, won);
  }
  throw noEngine(options.pool, attempts, last);
}

interface Candidate<E> {
  readonly engine: E;
  /** The digests with which it voted for the winning answer. */
  readonly voter: Voter<E> | undefined;
}

/** Engines that voted for the winning answer, then those that have not voted. */
function candidatesOf<E>(
  plan: readonly E[],
  voters: readonly Voter<E>[],
  { ballot }: Voter<E>,
): readonly Candidate<E>[] {
  const agreeing = voters.filter(({ answer }) => answer !== undefined && isVotedFor(ballot, answer));
  const silent = plan.filter((engine) => !voters.some((voter) => voter.engine === engine && voter.ballot.answer));
  return [
    ...agreeing.map((voter) => ({ engine: voter.engine, voter })),
    ...silent.map((engine) => ({ engine, voter: undefined })),
  ];
}

/** An engine voted with the others and then returned something else. */
function reportContradiction<E extends EngineClient>(
  liar: Voter<E>,
  said: Inference | RouterError,
  { voters, result, isSure, request: { input, options, strategy, context } }: WonVote<E>,
): void {
  const { engine } = liar;
  const ballots = voters.map((voter, index) => {
    const cast = toBallot(voter, voter === liar ? 'DISSENTED' : (result.outcomes[index] ?? 'ABSENT'));
    return voter === liar ? { ...cast, ...contradiction(said) } : cast;
  });
  const right = isSure ? digestsOf(liar) : undefined;
  const wrong = [engine.id];
  options.onDispute({ input, strategy, verdict: 'CONTRADICTED_ITSELF', ballots, wrong, right, span: context.span });
}

function contradiction(
  said: Inference | RouterError,
): Pick<CastBallot, 'stateDigest' | 'readoutDigest' | 'why' | 'recordingId'> {
  const { recordingId } = said;
  if (said instanceof RouterError) {
    return { stateDigest: undefined, readoutDigest: undefined, why: refusalKey(said), recordingId };
  }
  return { stateDigest: said.stateDigest, readoutDigest: digestOf(said), why: '', recordingId };
}
