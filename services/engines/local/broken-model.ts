import type { PinnedModel } from '../model-pins.ts';

/** The description of a model that cannot be used. */
export function brokenModel({ name, version }: { name: string; version: number }, error: string): PinnedModel {
  return {
    ...{
      name,
      version,
      modelId: 0n,
      inputSize: 0,
      outputSize: 0,
      inputKind: 'constant',
      steps: 0,
      countsSpikes: false,
    },
    ...{ spikesPerNeuron: 0, spikesPerStep: 0, operationsPerStep: 0, layers: [], nodes: 0, parameters: 0, error },
  };
}
