// Who said what in a vote, and what is told of engines that contradict each other.
import type { InferenceInput } from '../core/inference.ts';
import type { VerdictName } from '../core/observer.ts';
import type { OpenSpan } from '../core/request-trace.ts';
import type { BallotOutcome } from '../voting/verdict.ts';

export interface CastBallot {
  readonly engineId: string;
  /** Undefined: absent, or a refusal. */
  readonly stateDigest: bigint | undefined;
  readonly readoutDigest: bigint | undefined;
  readonly outcome: BallotOutcome;
  /** What it refuses with (reason, step and node), or why it is absent; else empty. */
  readonly why: string;
  readonly durationMs: number;
  /** For Engine.recording: the run that the ballot came from; 0n: it is not recorded. */
  readonly recordingId: bigint;
}

/** Engines contradicted each other, or one gave what cannot be an answer. */
export interface Dispute {
  readonly input: InferenceInput;
  /** That planned the request. */
  readonly strategy: string;
  /**
   * CONTRADICTED_ITSELF: an engine gave another answer than it had voted for, after the vote.
   * MALFORMED: an answer that cannot be one, whatever the input.
   */
  readonly verdict: VerdictName | 'CONTRADICTED_ITSELF' | 'MALFORMED';
  readonly ballots: readonly CastBallot[];
  /** Engines that a strict majority contradicts, to the bit, or that prove themselves wrong. Empty: it is not known. */
  readonly wrong: readonly string[];
  /** Digests of the right answer; undefined where they are not known, or where the right answer is a refusal. */
  readonly right:
    | {
        readonly stateDigest: bigint;
        readonly readoutDigest: bigint;
        readonly detailDigest?: bigint | undefined;
      }
    | undefined;
  /** Of the request; it may have ended. */
  readonly span?: OpenSpan | undefined;
}
