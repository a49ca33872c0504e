// Whether an answer can be the answer to its input at all. A wrong number is found by a vote; what is checked here needs no
// second engine: sizes, bounds, and that the readout digest is that of the very bytes that the engine returned.
import type { Inference, InferenceInput } from '../core/inference.ts';
import { type DetailAsked, checkLayers } from './check-layers.ts';
import { readStateHeader } from '../core/session-state.ts';
import { checkState } from './check-state.ts';
import type { PinnedModel } from './model-pins.ts';
import { readoutDigest } from './readout-digest.ts';

const NO_STATE = new Uint8Array(0);
const NOTHING_BEFORE = { steps: 0, totalSpikes: 0n, synapticOperations: 0n };

/** Why not, in a few fixed words; empty: it can. `model`: the one that was asked for. */
export function checkAnswer(inference: Inference, input: InferenceInput, model: PinnedModel): string {
  const before = readStateHeader(input.state ?? NO_STATE) ?? NOTHING_BEFORE;
  // Of this input alone.
  const steps = stepsOf(input, model);
  const totalSpikes = inference.totalSpikes - before.totalSpikes;
  const synapticOperations = inference.synapticOperations - before.synapticOperations;
  if (inference.modelVersion !== model.version) return 'another model version';
  if (inference.steps !== before.steps + steps) return 'another number of steps';
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

/** Neither counts nor potentials: the digests are all that it tells. */
function isEmpty({ spikeCounts, potentials }: Inference): boolean {
  return spikeCounts.length === 0 && potentials.length === 0;
}

function checkDigestAlone(inference: Inference, { digestOnly = false }: InferenceInput): string {
  if (!digestOnly) return 'no spike counts and no potentials';
  return inference.readoutDigest === 0n ? 'neither an answer nor its digest' : '';
}

function checkReadout(inference: Inference, { outputSize, countsSpikes, spikesPerNeuron }: PinnedModel): string {
  const { spikeCounts, potentials, steps } = inference;
  if (spikeCounts.length !== outputSize) return 'another number of spike counts than the model has outputs';
  if (potentials.length !== 4 * outputSize) return 'another number of potentials than the model has outputs';
  const most = countsSpikes ? steps * spikesPerNeuron : 0;
  if (!areAtMost(spikeCounts, most)) {
    return countsSpikes
      ? 'more spikes of an output than it can have in so many steps'
      : 'spikes of a readout that does not spike';
  }
  if (!areFinite(potentials)) return 'a potential that is not finite';
  const isClaimed = inference.readoutDigest !== 0n;
  return isClaimed && inference.readoutDigest !== readoutDigest(inference)
    ? 'a readout digest that is not of what was returned'
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
  if (readoutPerStep.length !== 4 * steps * outputSize) return 'a readout of another size than steps times outputs';
  return areFinite(readoutPerStep) ? '' : 'a readout of a step that is not finite';
}

function stepsOf({ shape }: InferenceInput, { inputKind, steps }: PinnedModel): number {
  return inputKind === 'constant' ? steps : shape[0]!;
}

/** Also false where one is not a number. */
function areAtMost(counts: readonly number[], most: number): boolean {
  for (let k = 0; k < counts.length; k += 1) if (!(counts[k]! <= most)) return false;
  return true;
}

/** Of little-endian binary32: NaN and infinity are those with an exponent of all ones. Byte by byte, for any alignment. */
function areFinite(bytes: Uint8Array): boolean {
  for (let at = 3; at < bytes.length; at += 4) {
    if ((bytes[at]! & 0x7f) === 0x7f && bytes[at - 1]! >= 0x80) return false;
  }
  return true;
}
