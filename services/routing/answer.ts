// What a question comes to: all of it that does not depend on who asked, so that it may be kept for the next one.
import type { Inference } from '../core/inference.ts';
import type { PooledEngine } from '../engines/pooled-engine.ts';
import type { StrategyName } from '../strategies/registry.ts';
import { type Conclusion, type ReadoutSpec, conclude } from './conclusion.ts';
import type { CastBallot } from './dispute.ts';

export type Grade = 'UNANIMOUS' | 'MAJORITY' | 'PLURALITY' | 'SINGLE';

export interface Answer extends Conclusion {
  /** Its bytes are in memory of their own. */
  readonly inference: Inference;
  readonly engine: { readonly id: string; readonly kind: 'local' | 'sidecar'; readonly build: string };
  readonly strategy: StrategyName;
  readonly grade: Grade;
  /** Whether it is all that was asked for: an answer given for want of a better one is not kept for others. */
  readonly isFirm: boolean;
  /** Empty where one engine was asked. */
  readonly ballots: readonly CastBallot[];
  /** As it goes out, once it has been given a second time; for api/. */
  encoded: Uint8Array | undefined;
}

interface Computed {
  readonly inference: Inference;
  readonly engine: PooledEngine;
  readonly grade: Grade;
  readonly isFirm: boolean;
  readonly ballots: readonly CastBallot[];
}

/** Field by field: each request comes by here, and copies of the rest of an object are dear. */
export function toAnswer(computed: Computed, spec: ReadoutSpec, strategy: StrategyName): Answer {
  const { inference, engine, grade, isFirm, ballots } = computed;
  const { label, labelIndex, confidence, scores } = conclude(inference, spec);
  return {
    ...{ label, labelIndex, confidence, scores, grade, isFirm, ballots, strategy },
    inference: withOwnBytes(inference),
    engine: { id: engine.id, kind: engine.kind, build: engine.build },
    encoded: undefined,
  };
}

/** An engine's bytes may be views into a whole message, which would live as long as they do. */
function withOwnBytes(inference: Inference): Inference {
  const { modelVersion, steps, spikeCounts, totalSpikes, synapticOperations, stateDigest, readoutDigest } = inference;
  const { queueUs, computeUs, batchItems, recordingId, layers, readoutPerStep } = inference;
  const potentials = new Uint8Array(inference.potentials);
  const run = {
    modelVersion,
    steps,
    spikeCounts,
    potentials,
    totalSpikes,
    synapticOperations,
    stateDigest,
    readoutDigest,
  };
  const work = { queueUs, computeUs, batchItems, recordingId };
  if (layers !== undefined) return { ...run, ...work, layers };
  if (readoutPerStep !== undefined) return { ...run, ...work, readoutPerStep: new Uint8Array(readoutPerStep) };
  return { ...run, ...work };
}

/** Most bytes that a number takes in an encoded answer. */
const ENCODED_NUMBER_BYTES = 5;
/** Of an encoded answer without its numbers. */
const ENCODED_BYTES = 300;

/** Bytes of an answer in memory, for the cache's limit: numbers in arrays, what the objects around them cost, its encoded form. */
export function sizeOf({ scores, inference, ballots, isFirm }: Answer): number {
  if (!isFirm) return Infinity;
  const numbers = scores.length + 2 * inference.spikeCounts.length + detailNumbers(inference);
  return (
    600 +
    ENCODED_BYTES +
    (8 + ENCODED_NUMBER_BYTES) * numbers +
    200 * ballots.length +
    200 * (inference.layers?.length ?? 0)
  );
}

/** In the arrays of its layers, or of its readout step by step. */
export function detailNumbers({ layers = [], readoutPerStep }: Pick<Inference, 'layers' | 'readoutPerStep'>): number {
  const ofReadout = (readoutPerStep?.length ?? 0) / 4;
  return layers.reduce((sum, layer) => sum + layer.spikesPerStep.length + 2 * layer.eventSteps.length, ofReadout);
}
