// A network ready to run, as plain data over shared memory: compiled once, sent to every simulation worker as it is.
import type { ReadoutFrom } from '../../config/readout.ts';
import type { NeuronRule } from './neuron-rule.ts';
import type { NodeType } from './node-types.ts';
import type { PackedWeights } from './packed-weights.ts';
import type { Window } from './window.ts';

/** What a node computes with: binary32, one element for each element of the node. */
export interface Constants {
  /**
   * Source-major: the weights of source element `j` are `weight[j * outputSize …]`. Of a convolution, those of one tap of
   * one input channel lie together, for all outputs of its group.
   */
  readonly weight: PackedWeights;
  readonly bias: Float32Array;
  readonly scale: Float32Array;
  readonly threshold: Float32Array;
  readonly reset: Float32Array;
  readonly leak: Float32Array;
  readonly resistance: Float32Array;
  /** dt/tau, dt/tau_mem, or the gain of an IF or I node. */
  readonly gain: Float32Array;
  /** dt/tau_syn. */
  readonly synapse: Float32Array;
  readonly inputWeight: Float32Array;
  /** Potentials before the first step; without it they are 0. */
  readonly start: Float32Array;
  /** Potentials at the end of a step are no lower. */
  readonly least: Float32Array;
}

export interface NetworkNode {
  readonly name: string;
  readonly type: NodeType;
  readonly inputSize: number;
  readonly outputSize: number;
  /** Positions in `Network.nodes`, in canonical order of the sources' names. */
  readonly sources: readonly number[];
  /** For each source: whether its output arrives one step late. */
  readonly delayed: readonly boolean[];
  /** Evaluated once, at step 0. */
  readonly constant: boolean;
  /** A delayed edge leaves it, so its last output is part of the state. */
  readonly feedsBack: boolean;
  readonly constants: Partial<Constants>;
  /** Of neurons and integrators. */
  readonly rule: NeuronRule | undefined;
  /** Of a convolution or a pool. */
  readonly window: Window | undefined;
  /** Of a Delay: steps, for each element. */
  readonly delays: Uint32Array | undefined;
}

/** A root Input: position in `Network.nodes`, and which of a step's values it takes. */
export interface NetworkInput {
  readonly node: number;
  readonly from: number;
  readonly to: number;
}

export interface Network {
  /** In order of evaluation. */
  readonly nodes: readonly NetworkNode[];
  /** Positions in `nodes`, in canonical order of the names. */
  readonly canonical: readonly number[];
  /** In canonical order. */
  readonly inputs: readonly NetworkInput[];
  /** Of all inputs together. */
  readonly inputSize: number;
  /** Position of the readout node. */
  readonly readout: number;
  readonly modelId: bigint;
  readonly inputKind: 'constant' | 'series';
  readonly inputShape: readonly number[];
  /** Steps of a constant input. */
  readonly steps: number;
  /** Some neuron can put out several spikes in a step. */
  readonly hasMultipleSpikes: boolean;
  readonly readoutFrom: ReadoutFrom;
  /** Nodes after flattening, also those that take no part. */
  readonly nodeCount: number;
  /** Floating-point elements in the file. */
  readonly parameterCount: number;
}
