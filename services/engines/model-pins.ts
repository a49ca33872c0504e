// The models of the router's own repository, as the router reads them. What an engine says of a model is held against this:
// an engine that holds other weights or run settings under the same name and version is never asked.

export interface PinnedModel {
  readonly name: string;
  readonly version: number;
  /** Identity of weights and run settings (proto/NUMERICS.md); 0n where `error` is set. */
  readonly modelId: bigint;
  /** Elements of one input step, and of the readout. */
  readonly inputSize: number;
  readonly outputSize: number;
  readonly inputKind: 'constant' | 'series';
  /** Steps of a constant input; a series brings its own. */
  readonly steps: number;
  /** Whether the readout node spikes; else its spike counts are 0. */
  readonly countsSpikes: boolean;
  /** Most spikes of one neuron in a step: 1, but with `spikes_per_step: multiple`. */
  readonly spikesPerNeuron: number;
  /** Most spikes, and most synaptic operations, that one step can have. */
  readonly spikesPerStep: number;
  readonly operationsPerStep: number;
  /** Nodes of spiking neurons in the order of evaluation: what an answer's `detail` tells of. */
  readonly layers: readonly { readonly node: string; readonly neurons: number }[];
  readonly nodes: number;
  readonly parameters: number;
  /** Where its file and manifest can hardly both be meant, for people. */
  readonly doubts?: readonly string[];
  /** Why the router cannot read the model; empty: it can. */
  readonly error: string;
}

export interface ModelPins {
  /** Undefined: the repository has no such version, or it has not been read yet. */
  find(name: string, version: number): PinnedModel | undefined;
}
