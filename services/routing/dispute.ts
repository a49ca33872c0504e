// Who said what in a vote, and what is told of engines that contradict each other.
import type { InferenceInput } from '../core/inference.ts';
import type { VerdictName } from '../core/observer.ts';
import type { OpenSpan } from '../core/request-trace.ts';
import type { BallotOutcome } from '../voting/verdict.ts';

export interface CastBallot {
  readonly engineId: string;
  /** Undefined: absent. */
  readonly stateDigest: bigint | undefined;
  readonly readoutDigest: bigint | undefined;
  readonly outcome: BallotOutcome;
  /** Why it is absent; else empty. */
  readonly why: string;
  readonly durationMs: number;
  /** For Engine.recording: the run that the ballot came from; 0n: it is not recorded. */
  readonly recordingId: bigint;
}

/** Engines contradicted each other. */
export interface Dispute {
  readonly input: InferenceInput;
  /** That planned the request. */
  readonly strategy: string;
  /** CONTRADICTED_ITSELF: an engine gave another answer than it had voted for, after the vote. */
  readonly verdict: VerdictName | 'CONTRADICTED_ITSELF';
  readonly ballots: readonly CastBallot[];
  /** Engines that a strict majority contradicts, to the bit. */
  readonly wrong: readonly string[];
  /** Digests of the right answer; undefined where nobody can say which one is. */
  readonly right: { readonly stateDigest: bigint; readonly readoutDigest: bigint } | undefined;
  /** Of the request; it may have ended. */
  readonly span?: OpenSpan | undefined;
}
