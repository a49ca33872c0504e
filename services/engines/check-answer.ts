// Checks whether an answer is plausible for its input. A vote finds wrong numbers; the checks here need no second
// engine: sizes, bounds, and the readout digest of the returned bytes.
import type { Inference, InferenceInput } from '../core/inference.ts';
import { type DetailAsked, checkLayers } from './check-layers.ts';
import { readStateHeader } from '../core/session-state.ts';
import { checkState } from './check-state.ts';
import type { PinnedModel } from './model-pins.ts';
import { readoutDigest } from './readout-digest.ts';

const NOTHING_BEFORE = { steps: 0, totalSpikes: 0n, synapticOperations: 0n };

/** Returns the problem as one of a few fixed texts; empty: none. `model`: the requested model. */
export function checkAnswer(inference: Inference, input: InferenceInput, model: PinnedModel): string {
  const before = (input.state && readStateHeader(input.state)) ?? NOTHING_BEFORE;
  // For this input alone.
  const steps = stepsOf(input, model);
  const totalSpikes = inference.totalSpikes - before.totalSpikes;
  const synapticOperations = inference.synapticOperations - before.synapticOperations;
  if (inference.modelVersion !== model.version) return 'another model version';
  if (inference.steps !== before.steps + steps) return 'a different number of steps';
  if (totalSpikes < 0n || totalSpikes > model.spikesPerStep * steps) return 'more spikes than the model can have';
  if (synapticOperations < 0n || synapticOperations > model.operationsPerStep * steps) {
    return 'more synaptic operations than the model can have';
  }
  const problem = isEmpty(inference) ? checkDigestAlone(inference, input) : checkReadout(inference, model);
  const request = { detail: input.detail ?? 'SUMMARY', digestOnly: input.digestOnly };
  return (
    problem ||
    checkLayers({ layers: inference.layers, steps, totalSpikes }, request, model) ||
    checkReadoutPerStep({ readoutPerStep: inference.readoutPerStep, steps }, request, model) ||
    checkState(inference, input, model.modelId)
  );
}

/** Neither counts nor potentials: an answer with digests only. */
function isEmpty({ spikeCounts, potentials }: Inference): boolean {
  return spikeCounts.length === 0 && potentials.length === 0;
}

function checkDigestAlone(inference: Inference, { digestOnly = false }: InferenceInput): string {
  if (!digestOnly) return 'no spike counts and no potentials';
  return inference.readoutDigest === 0n ? 'neither an answer nor its digest' : '';
}

function checkReadout(inference: Inference, { outputSize, countsSpikes, spikesPerNeuron }: PinnedModel): string {
  const { spikeCounts, potentials, steps } = inference;
  if (spikeCounts.length !== outputSize) return 'a number of spike counts that is not the model’s number of outputs';
  if (potentials.length !== 4 * outputSize) return 'a number of potentials that is not the model’s number of outputs';
  const most = countsSpikes ? steps * spikesPerNeuron : 0;
  if (!areAtMost(spikeCounts, most)) {
    return countsSpikes
      ? 'more spikes of an output than possible in this number of steps'
      : 'spikes of a readout that does not fire';
  }
  if (!areFinite(potentials)) return 'a potential that is not finite';
  const isClaimed = inference.readoutDigest !== 0n;
  return isClaimed && inference.readoutDigest !== readoutDigest(inference)
    ? 'a readout digest that does not match the returned bytes'
    : '';
}

function checkReadoutPerStep(
  { readoutPerStep, steps }: Pick<Inference, 'readoutPerStep' | 'steps'>,
  { detail, digestOnly = false }: DetailAsked,
  { outputSize }: PinnedModel,
): string {
  if (readoutPerStep === undefined) {
    return detail === 'READOUT' && !digestOnly ? 'no readout of each step, though it was asked for' : '';
  }
  if (detail !== 'READOUT') return 'a readout of each step that was not asked for';
  if (readoutPerStep.length !== 4 * steps * outputSize) return 'a readout whose size is not steps times outputs';
  return areFinite(readoutPerStep) ? '' : 'a readout of a step that is not finite';
}

function stepsOf({ shape }: InferenceInput, { inputKind, steps }: PinnedModel): number {
  return inputKind === 'constant' ? steps : shape[0]!;
}

/** False also if a value is not a number. */
function areAtMost(counts: readonly number[], most: number): boolean {
  for (let k = 0; k < counts.length; k += 1) if (!(counts[k]! <= most)) return false;
  return true;
}

/**
 * `bytes`: little-endian binary32. NaN and infinity have an exponent of all ones. Reads byte by byte, so any alignment
 * works.
 */
function areFinite(bytes: Uint8Array): boolean {
  for (let at = 3; at < bytes.length; at += 4) {
    if ((bytes[at]! & 0x7f) === 0x7f && bytes[at - 1]! >= 0x80) return false;
  }
  return true;
}
