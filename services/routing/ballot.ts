// One engine's part in a vote: what it said, as the vote counts it and as the caller sees it.
import type { RouterError } from '../core/errors.ts';
import type { Inference, InferenceInput } from '../core/inference.ts';
import { isRefusal, refusalKey } from '../core/refusal.ts';
import type { Ballot } from '../voting/tally.ts';
import type { BallotOutcome } from '../voting/verdict.ts';
import type { EngineClient } from './attempt.ts';
import { type ReadoutSpec, conclude } from './conclusion.ts';
import type { CastBallot, Dispute } from './dispute.ts';
import { whyAbsent } from './malformed.ts';
import { detailDigest } from '../engines/detail-digest.ts';
import { readoutDigest } from '../engines/readout-digest.ts';
import { xxh64 } from '../engines/xxh64.ts';

export interface Voter<E> {
  readonly engine: E;
  readonly startedMs: number;
  durationMs: number;
  /** False: it had no room for long enough. */
  isAsked: boolean;
  /** It was asked and has not been heard. */
  isWaiting: boolean;
  /** What counts: made once, for hashing a whole answer is dear and ballots are counted again and again. */
  ballot: Ballot;
  answer?: Inference;
  /** It voted by refusing. */
  refusal?: RouterError;
  absence?: RouterError;
}

/** One that is asked now; so far it is absent. */
export function newVoter<E extends EngineClient>(engine: E): Voter<E> {
  const ballot = { engineId: engine.id, engineKind: engine.kind };
  return { engine, startedMs: performance.now(), durationMs: 0, isAsked: true, isWaiting: true, ballot };
}

/** `spec`: where scores and label count, not the digests alone. */
export function recordAnswer<E>(voter: Voter<E>, answer: Inference, spec?: ReadoutSpec): void {
  end(voter);
  voter.answer = answer;
  const digests = {
    stateDigest: answer.stateDigest,
    readoutDigest: digestOf(answer),
    detailDigest: detailDigest(answer),
    sessionDigest: sessionDigest(answer),
  };
  const { scores, labelIndex } = spec === undefined ? {} : conclude(answer, spec);
  voter.ballot = { ...voter.ballot, answer: { ...digests, scores, label: labelIndex } };
}

/** A refusal is its ballot; with any other error it is absent. */
export function recordError<E>(voter: Voter<E>, error: RouterError): void {
  end(voter);
  if (!isRefusal(error)) {
    voter.absence = error;
    return;
  }
  voter.refusal = error;
  voter.ballot = { ...voter.ballot, answer: { refusal: refusalKey(error) } };
}

function end<E>(voter: Voter<E>): void {
  voter.durationMs = performance.now() - voter.startedMs;
  voter.isWaiting = false;
}

/** Of a whole answer as we compute it: what an engine claims counts only where it gives nothing else. */
export function digestOf(answer: Inference): bigint {
  return isComplete(answer) ? readoutDigest(answer) : answer.readoutDigest;
}

/** Undefined of a refusal. */
export function digestsOf<E>({ ballot: { answer } }: Voter<E>): Dispute['right'] {
  return answer?.refusal === undefined ? answer : undefined;
}

/** Whether an answer is, to the bit, what an engine voted for. */
export function isVotedFor({ answer: voted }: Ballot, answer: Inference): boolean {
  if (voted?.stateDigest !== answer.stateDigest || voted.readoutDigest !== digestOf(answer)) return false;
  return voted.detailDigest === detailDigest(answer) && voted.sessionDigest === sessionDigest(answer);
}

/** Of all of a state: `state_digest` leaves out what `mean_potential` has added up. Undefined: none was asked for. */
function sessionDigest({ state }: Inference): bigint | undefined {
  return state === undefined || state.length === 0 ? undefined : xxh64(state);
}

/** Neither a whole answer nor the digest of one. */
export function isEmpty(answer: Inference): boolean {
  return !isComplete(answer) && answer.readoutDigest === 0n;
}

/** Then the digests alone do not tell whether two answers are the same. */
export function wantsLayers({ detail = 'SUMMARY' }: InferenceInput): boolean {
  return detail !== 'SUMMARY';
}

/** Not the digests alone. */
export function isComplete({ spikeCounts, potentials }: Inference): boolean {
  return spikeCounts.length > 0 || potentials.length > 0;
}

export function toBallot<E>(voter: Voter<E>, outcome: BallotOutcome): CastBallot {
  const { ballot, refusal, absence, startedMs, durationMs } = voter;
  const { engineId, answer } = ballot;
  return {
    engineId,
    stateDigest: answer?.stateDigest,
    readoutDigest: answer?.readoutDigest,
    outcome,
    why: answer === undefined ? (absence === undefined ? 'CANCELLED' : whyAbsent(absence)) : (answer.refusal ?? ''),
    durationMs: durationMs || performance.now() - startedMs,
    recordingId: voter.answer?.recordingId ?? (refusal ?? absence)?.recordingId ?? 0n,
  };
}
