// One engine's ballot, in the forms for counting and for the caller.
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
  /** False: it had no free slot for too long. */
  isAsked: boolean;
  /** It was asked and has not answered. */
  isWaiting: boolean;
  /** The counted form, computed once: hashing a whole answer is slow, and ballots are counted repeatedly. */
  ballot: Ballot;
  answer?: Inference;
  /** It voted by refusing. */
  refusal?: RouterError;
  absence?: RouterError;
}

/** An engine that is asked now; absent so far. */
export function newVoter<E extends EngineClient>(engine: E): Voter<E> {
  const ballot = { engineId: engine.id, engineKind: engine.kind };
  return { engine, startedMs: performance.now(), durationMs: 0, isAsked: true, isWaiting: true, ballot };
}

/** `spec`: set if scores and label are compared, not only digests. */
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

/** For a whole answer, computed by us: the digest that an engine claims only counts if it returned nothing else. */
export function digestOf(answer: Inference): bigint {
  return isComplete(answer) ? readoutDigest(answer) : answer.readoutDigest;
}

/** Undefined for a refusal. */
export function digestsOf<E>({ ballot: { answer } }: Voter<E>): Dispute['right'] {
  return answer?.refusal === undefined ? answer : undefined;
}

/** Whether an answer equals the engine's ballot to the bit. */
export function isVotedFor({ answer: voted }: Ballot, answer: Inference): boolean {
  if (voted?.stateDigest !== answer.stateDigest || voted.readoutDigest !== digestOf(answer)) return false;
  return voted.detailDigest === detailDigest(answer) && voted.sessionDigest === sessionDigest(answer);
}

/**
 * Digest of the whole state: `state_digest` does not include the sums of `mean_potential`. Undefined: no state was
 * requested.
 */
function sessionDigest({ state }: Inference): bigint | undefined {
  return state === undefined || state.length === 0 ? undefined : xxh64(state);
}

/** Neither a whole answer nor the digest of one. */
export function isEmpty(answer: Inference): boolean {
  return !isComplete(answer) && answer.readoutDigest === 0n;
}

/** Then digests alone do not show whether two answers are equal. */
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
