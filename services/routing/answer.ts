// The answer to a question: the part that does not depend on the caller, so that it can be cached.
import type { Inference } from '../core/inference.ts';
import type { PooledEngine } from '../engines/pooled-engine.ts';
import type { StrategyName } from '../strategies/registry.ts';
import { type Conclusion, type ReadoutSpec, conclude } from './conclusion.ts';
import type { CastBallot } from './dispute.ts';

export type Grade = 'UNANIMOUS' | 'MAJORITY' | 'PLURALITY' | 'SINGLE';

export interface Answer extends Conclusion {
  readonly inference: Inference;
  readonly engine: { readonly id: string; readonly kind: 'local' | 'sidecar'; readonly build: string };
  readonly strategy: StrategyName;
  readonly grade: Grade;
  /** Whether it fully meets the request: an accepted lesser answer is not cached. */
  readonly isFirm: boolean;
  /** Empty if one engine was asked. */
  readonly ballots: readonly CastBallot[];
  /** The encoded form, set when it is returned a second time; for api/. */
  encoded: Uint8Array | undefined;
}

interface Computed {
  readonly inference: Inference;
  readonly engine: PooledEngine;
  readonly grade: Grade;
  readonly isFirm: boolean;
  readonly ballots: readonly CastBallot[];
}

/** Field by field: this runs for each request, and object spread is slow. */
export function toAnswer(computed: Computed, spec: ReadoutSpec, strategy: StrategyName): Answer {
  const { inference, engine, grade, isFirm, ballots } = computed;
  const { label, labelIndex, confidence, scores } = conclude(inference, spec);
  // prettier-ignore
  return {
    label, labelIndex, confidence, scores, grade, isFirm, ballots, strategy, inference,
    engine: { id: engine.id, kind: engine.kind, build: engine.build },
    encoded: undefined,
  };
}

/** For the cache: an engine's bytes may be views that would keep a whole message in memory. */
export function withOwnBytes(answer: Answer): Answer {
  const { inference } = answer;
  const { potentials, readoutPerStep } = inference;
  const own = { ...inference, potentials: new Uint8Array(potentials) };
  if (readoutPerStep === undefined) return { ...answer, inference: own };
  return { ...answer, inference: { ...own, readoutPerStep: new Uint8Array(readoutPerStep) } };
}

/** Maximum encoded size of a number. */
const ENCODED_NUMBER_BYTES = 5;
/** Size of an encoded answer without its numbers. */
const ENCODED_BYTES = 300;

/** Memory of an answer, for the cache's limit: numbers in arrays, the objects around them, its encoded form. */
export function sizeOf({
  scores,
  inference,
  ballots,
  isFirm,
}: Pick<Answer, 'scores' | 'inference' | 'ballots' | 'isFirm'>): number {
  if (!isFirm) return Infinity;
  // Each output has spikes and a potential.
  const numbers = scores.length + 2 * inference.spikeCounts.length + detailNumbers(inference);
  return (
    600 +
    ENCODED_BYTES +
    (8 + ENCODED_NUMBER_BYTES) * numbers +
    200 * ballots.length +
    200 * (inference.layers?.length ?? 0)
  );
}

/** Numbers in the arrays of its layers or of its readout per step. */
export function detailNumbers({ layers = [], readoutPerStep }: Pick<Inference, 'layers' | 'readoutPerStep'>): number {
  const ofReadout = (readoutPerStep?.length ?? 0) / 4;
  return layers.reduce((sum, layer) => sum + layer.spikesPerStep.length + 2 * layer.eventSteps.length, ofReadout);
}
