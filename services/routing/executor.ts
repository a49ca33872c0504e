// The interface of failover, hedge and vote: takes a planned request and returns the result of its engines.
import type { RouterError } from '../core/errors.ts';
import type { Inference } from '../core/inference.ts';
import type { VotePolicy } from '../voting/policy.ts';
import type { Grade } from './answer.ts';
import type { AttemptContext, EngineClient } from './attempt.ts';
import type { ReadoutSpec } from './conclusion.ts';
import type { CastBallot } from './dispute.ts';

/** An engine's answer or refusal. */
export interface Claim<E> {
  readonly engine: E;
  readonly said: Inference | RouterError;
  readonly durationMs: number;
}

export interface Execution<E extends EngineClient> extends AttemptContext {
  /** All usable engines that hold the model, in the order of asking. */
  readonly plan: readonly E[];
  /** All answers and refusals without a vote, in order of arrival. */
  readonly claims: Claim<E>[];
  readonly readout: ReadoutSpec;
  /** The vote policy; undefined: no vote. */
  readonly policy: VotePolicy | undefined;
  /** Upper bound of most latencies of the model, milliseconds; undefined: unknown. */
  readonly latencyQuantileMs: number | undefined;
  /**
   * For a vote with contradictions in which it is unknown which engine is wrong: the claims, with the winning answer
   * first.
   */
  contradicted(claims: readonly Claim<E>[]): void;
}

export interface Answered<E> {
  readonly inference: Inference;
  readonly engine: E;
}

export interface Outcome<E> extends Answered<E> {
  readonly grade: Grade;
  /** Whether it fully meets the policy, instead of being accepted as a lesser answer. */
  readonly isFirm: boolean;
  /** Empty if there was no vote. */
  readonly ballots: readonly CastBallot[];
}

/** Rejects with RouterError only. */
export type Executor = <E extends EngineClient>(execution: Execution<E>) => Promise<Outcome<E>>;
