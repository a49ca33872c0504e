// The model of every schedule, and its inputs: an input is a number.
import type { ModelPins, PinnedModel } from '../../services/engines/model-pins.ts';
import type { ModelVersion } from '../../services/models/repository.ts';
import { VersionUse } from '../../services/models/version-use.ts';
import { OUTPUTS, answerTo } from './truth.ts';

export const MODEL: PinnedModel = {
  ...{
    inputKind: 'constant',
    steps: 16,
    countsSpikes: true,
    spikesPerNeuron: 1,
    spikesPerStep: 1_000_000,
    operationsPerStep: 1_000,
    layers: [],
  },
  ...{ name: 'm', version: 1, modelId: 7n, inputSize: 2, outputSize: OUTPUTS, nodes: 3, parameters: 6, error: '' },
};

export const PINS: ModelPins = { find: () => MODEL };

/** Known inputs of the quarantine; no request has them. */
const GOLDEN = [-1, -2];

export const VERSION: ModelVersion = {
  ...{ name: 'm', version: 1, inputKind: 'constant', inputShape: [2], steps: 16, dt: 1e-3, vote: undefined, error: '' },
  ...{ defaults: [], heldAs: 'm', isUnloaded: false, use: new VersionUse() },
  tokenizer: undefined,
  readout: { from: 'spike_count', labels: Array.from({ length: OUTPUTS }, (_, k) => `label ${k}`), temperature: 1 },
  golden: GOLDEN.map((input) => ({ name: '', shape: undefined, data: dataOf(input), ...digestsOf(input) })),
};

export function dataOf(input: number): Buffer {
  const data = Buffer.alloc(8);
  data.writeFloatLE(input, 0);
  data.writeFloatLE(1, 4);
  return data;
}

export function inputOf(data: Uint8Array): number {
  return new DataView(data.buffer, data.byteOffset, data.byteLength).getFloat32(0, true);
}

function digestsOf(input: number): { stateDigest: bigint; readoutDigest: bigint } {
  const { stateDigest, readoutDigest } = answerTo(input);
  return { stateDigest, readoutDigest };
}
