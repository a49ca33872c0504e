// A 64-bit digest of an answer's details for comparisons: no digest of proto/NUMERICS.md includes them. It never leaves
// the router.
import type { Inference } from '../core/inference.ts';
import { xxh64 } from './xxh64.ts';

/**
 * Over each layer, in 32-bit words: length of the name and the name, neurons, number of steps and the spikes of each,
 * number of events and the step and neuron of each. Values that check-layers.ts derives from these are left out. Or
 * over the readout of each step. Undefined: the answer has neither.
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
