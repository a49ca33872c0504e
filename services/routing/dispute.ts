// The ballots of a vote, and the report about engines that contradict each other.
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
  /** Its refusal (reason, step and node), or why it is absent; else empty. */
  readonly why: string;
  readonly durationMs: number;
  /** For Engine.recording: the run of the ballot; 0n: not recorded. */
  readonly recordingId: bigint;
}

/** Engines contradicted each other, or one returned an impossible answer. */
export interface Dispute {
  readonly input: InferenceInput;
  /** The strategy of the request. */
  readonly strategy: string;
  /**
   * CONTRADICTED_ITSELF: after the vote, an engine returned an answer different from its ballot. MALFORMED: an answer
   * that is invalid for any input.
   */
  readonly verdict: VerdictName | 'CONTRADICTED_ITSELF' | 'MALFORMED';
  readonly ballots: readonly CastBallot[];
  /** Engines that a strict majority contradicts, to the bit, or that are provably wrong. Empty: unknown. */
  readonly wrong: readonly string[];
  /** Digests of the correct answer; undefined if unknown, or if the correct answer is a refusal. */
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
