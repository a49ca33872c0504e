// The models of the router's repository, as read by the router. Each engine's description is compared with them: an
// engine with other weights or run settings under the same name and version gets no requests.

export interface PinnedModel {
  readonly name: string;
  readonly version: number;
  /** Identity of weights and run settings (proto/NUMERICS.md); 0n if `error` is set. */
  readonly modelId: bigint;
  /** Elements of one input step, and of the readout. */
  readonly inputSize: number;
  readonly outputSize: number;
  readonly inputKind: 'constant' | 'series';
  /** Steps of a constant input; a series has its own. */
  readonly steps: number;
  /** Whether the readout node fires; else its spike counts are 0. */
  readonly countsSpikes: boolean;
  /** Maximum spikes of one neuron in a step: 1, except with `spikes_per_step: multiple`. */
  readonly spikesPerNeuron: number;
  /** Maximum spikes and synaptic operations of one step. */
  readonly spikesPerStep: number;
  readonly operationsPerStep: number;
  /** Nodes of spiking neurons in order of evaluation: the layers of an answer's `detail`. */
  readonly layers: readonly { readonly node: string; readonly neurons: number }[];
  readonly nodes: number;
  readonly parameters: number;
  /** Probable contradictions between its file and manifest, for people. */
  readonly doubts?: readonly string[];
  /** Why the router cannot use the model; empty: it can. */
  readonly error: string;
}

export interface ModelPins {
  /** Undefined: the repository has no such version, or it is not read yet. */
  find(name: string, version: number): PinnedModel | undefined;
}
