// The details of an answer in 64 bits, for comparing them: no digest of proto/NUMERICS.md has them. It is the router's own, and
// never leaves it.
import type { Inference } from '../core/inference.ts';
import { xxh64 } from './xxh64.ts';

/**
 * Of each layer in turn, in words of 32 bits: length of its name and the name, neurons, steps and the spikes of each, events
 * and the step and the neuron of each. What check-layers.ts holds against these is left out: spikes, and events left out.
 * Or the bytes of the readout of each step. Undefined: there is neither.
 */
export function detailDigest({
  layers = [],
  readoutPerStep,
}: Pick<Inference, 'layers' | 'readoutPerStep'>): bigint | undefined {
  if (readoutPerStep !== undefined) return xxh64(readoutPerStep);
  if (layers.length === 0) return undefined;
  const parts = layers.flatMap(({ node, neurons, spikesPerStep, eventSteps, eventNeurons }) => {
    const name = Buffer.from(node);
    const counts = [neurons, spikesPerStep.length, ...spikesPerStep, eventSteps.length, ...eventSteps, ...eventNeurons];
    return [words([name.length]), name, words(counts)];
  });
  return xxh64(Buffer.concat(parts));
}

function words(values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}
