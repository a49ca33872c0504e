// The one shape of failover, hedge and vote: a planned request in, and out of it what its engines come to.
import type { RouterError } from '../core/errors.ts';
import type { Inference } from '../core/inference.ts';
import type { VotePolicy } from '../voting/policy.ts';
import type { Grade } from './answer.ts';
import type { AttemptContext, EngineClient } from './attempt.ts';
import type { ReadoutSpec } from './conclusion.ts';
import type { CastBallot } from './dispute.ts';

/** What an engine answered, or refused with. */
export interface Claim<E> {
  readonly engine: E;
  readonly said: Inference | RouterError;
  readonly durationMs: number;
}

export interface Execution<E extends EngineClient> extends AttemptContext {
  /** All engines that hold the model and may be asked, in the order of asking. */
  readonly plan: readonly E[];
  /** All that engines answered or refused without a vote, in the order in which it came. */
  readonly claims: Claim<E>[];
  readonly readout: ReadoutSpec;
  /** Of a vote; undefined: there is none. */
  readonly policy: VotePolicy | undefined;
  /** What most answers of the model take, milliseconds; undefined: not known yet. */
  readonly latencyQuantileMs: number | undefined;
  /** Of a vote in which engines contradict each other, and which cannot say which one is wrong: the answer that won first. */
  contradicted(claims: readonly Claim<E>[]): void;
}

export interface Answered<E> {
  readonly inference: Inference;
  readonly engine: E;
}

export interface Outcome<E> extends Answered<E> {
  readonly grade: Grade;
  /** Whether it is all that was asked for, not what is accepted for want of that. */
  readonly isFirm: boolean;
  /** Empty where there was no vote. */
  readonly ballots: readonly CastBallot[];
}

/** Rejects with RouterError only. */
export type Executor = <E extends EngineClient>(execution: Execution<E>) => Promise<Outcome<E>>;
