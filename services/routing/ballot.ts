// One engine's part in a vote: its answer, as the vote counts it and as the caller sees it.
import type { RouterError } from '../core/errors.ts';
import type { Inference } from '../core/inference.ts';
import type { VotePolicy } from '../voting/policy.ts';
import type { Ballot } from '../voting/tally.ts';
import type { BallotOutcome } from '../voting/verdict.ts';
import type { Askable } from './ask.ts';
import { type ReadoutSpec, conclude } from './conclusion.ts';
import type { CastBallot } from './dispute.ts';
import { readoutDigest } from './readout-digest.ts';

export interface Voter<E> {
  readonly engine: E;
  readonly startedMs: number;
  durationMs: number;
  /** It was asked and has not been heard. */
  isWaiting: boolean;
  answer?: Inference;
  absence?: RouterError;
}

/** Without a policy: its digests alone. */
export function toBallot<E extends Askable>(
  { engine, answer }: Pick<Voter<E>, 'engine' | 'answer'>,
  policy: VotePolicy | undefined,
  spec: ReadoutSpec | undefined,
): Ballot {
  const ballot = { engineId: engine.id, engineKind: engine.kind };
  if (answer === undefined) return ballot;
  const digests = { stateDigest: answer.stateDigest, readoutDigest: digestOf(answer) };
  if (policy === undefined || spec === undefined || policy.compare.kind === 'EXACT')
    return { ...ballot, answer: digests };
  const { scores, labelIndex } = conclude(answer, spec);
  return { ...ballot, answer: { ...digests, scores, label: labelIndex } };
}

/** Of a whole answer as we compute it: what an engine claims counts only where it gives nothing else. */
export function digestOf(answer: Inference): bigint {
  return isWhole(answer) ? readoutDigest(answer) : answer.readoutDigest;
}

/** Not the digests alone. */
export function isWhole({ spikeCounts, potentials }: Inference): boolean {
  return spikeCounts.length > 0 || potentials.length > 0;
}

export function toCast<E extends Askable>(voter: Voter<E>, outcome: BallotOutcome): CastBallot {
  const { engine, answer, absence, startedMs, durationMs } = voter;
  return {
    engineId: engine.id,
    stateDigest: answer?.stateDigest,
    readoutDigest: answer === undefined ? undefined : digestOf(answer),
    outcome,
    why: answer === undefined ? (absence?.kind ?? 'CANCELLED') : '',
    durationMs: durationMs || performance.now() - startedMs,
  };
}
