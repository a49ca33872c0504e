// Tests an engine with golden vectors. Each input is sent twice, once for a full answer and once for digests only, in
// random order, so that an engine that lies for one kind of request only is detected, too.
import { Cancel } from '../core/cancel.ts';
import { RouterError } from '../core/errors.ts';
import type { Inference, InferenceInput } from '../core/inference.ts';
import { isRefusal, malformedReason } from '../core/refusal.ts';
import { detailDigest } from './detail-digest.ts';
import type { PooledEngine } from './pooled-engine.ts';

const PROBE_TIMEOUT_MS = 5_000;

export interface KnownAnswer {
  readonly input: InferenceInput;
  readonly stateDigest: bigint;
  /** Undefined: unknown. With it, an engine cannot pass with a correct state digest and a falsified answer. */
  readonly readoutDigest?: bigint | undefined;
  /** Undefined: unknown, or the input asks for no detail. */
  readonly detailDigest?: bigint | undefined;
}

export interface Failure {
  readonly why: string;
  /** Its answer was wrong; it did not merely fail. */
  readonly isProof: boolean;
  /** The engine was lost. */
  readonly isLost: boolean;
}

/** Undefined: every answer was correct. `isOver`: returns true if the result is no longer needed. */
export async function firstFailure(
  engine: Pick<PooledEngine, 'inferUncounted'>,
  cases: readonly KnownAnswer[],
  isOver: () => boolean = () => false,
): Promise<Failure | undefined> {
  const bothWays = cases.flatMap((known, index) => [false, true].map((digestOnly) => ({ known, index, digestOnly })));
  for (const { known, index, digestOnly } of shuffled(bothWays)) {
    if (isOver()) return undefined;
    const context = { deadlineMs: performance.now() + PROBE_TIMEOUT_MS, signal: new Cancel() };
    try {
      const answer = await engine.inferUncounted({ ...known.input, digestOnly }, context);
      if (isRight(answer, known, digestOnly)) continue;
      return { why: `it got known input ${index + 1} of ${cases.length} wrong`, isProof: true, isLost: false };
    } catch (thrown) {
      const error = RouterError.from(thrown);
      const why = `it could not answer known input ${index + 1}: ${(thrown as Error).message}`;
      const isLost = error.kind === 'ENGINE_LOST' || error.kind === 'DRAINING';
      return { why, isProof: isRefusal(error) || malformedReason(error) !== undefined, isLost };
    }
  }
  return undefined;
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

function isRight(answer: Inference, known: KnownAnswer, digestOnly: boolean): boolean {
  if (answer.stateDigest !== known.stateDigest) return false;
  if (known.readoutDigest !== undefined && answer.readoutDigest !== known.readoutDigest) return false;
  return digestOnly || known.detailDigest === undefined || detailDigest(answer) === known.detailDigest;
}
