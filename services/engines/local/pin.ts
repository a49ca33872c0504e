// The facts of a model that the router keeps: enough to check an engine's description of it and its answers.
import type { PinnedModel } from '../model-pins.ts';
import type { Network, NetworkNode } from './network.ts';
import { sourcesOfOutput } from './window.ts';
import { MAX_SPIKES_PER_STEP } from './neuron-rule.ts';
import { firesSpikes, isSpiking, rankOfWeight } from './node-types.ts';

type Version = Pick<PinnedModel, 'name' | 'version'>;

export function pinOf({ name, version }: Version, network: Network): PinnedModel {
  const { nodes, modelId, inputKind, steps, nodeCount, parameterCount } = network;
  const readout = nodes[network.readout]!;
  const spikesPerNeuron = network.hasMultipleSpikes ? MAX_SPIKES_PER_STEP : 1;
  const spiking = nodes.filter(({ type }) => firesSpikes(type));
  const weighted = nodes.filter(({ type }) => rankOfWeight(type) > 0);
  return {
    ...{ name, version, modelId, inputKind, steps },
    inputSize: network.inputSize,
    outputSize: readout.outputSize,
    countsSpikes: isSpiking(readout.type),
    spikesPerNeuron,
    spikesPerStep: spikesPerNeuron * spiking.reduce((sum, { outputSize }) => sum + outputSize, 0),
    operationsPerStep: weighted.reduce((sum, node) => sum + operationsOf(node), 0),
    layers: spiking.map(({ name: node, outputSize: neurons }) => ({ node, neurons })),
    nodes: nodeCount,
    parameters: parameterCount,
    error: '',
  };
}

/** At most, in a step. */
function operationsOf({ window, inputSize, outputSize }: NetworkNode): number {
  return window === undefined ? inputSize * outputSize : outputSize * sourcesOfOutput(window);
}
