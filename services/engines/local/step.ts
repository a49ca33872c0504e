// What a node does in a step, and what it reports.
import type { Interrupt } from './interrupt.ts';
import type { SpikeList } from './kernels.ts';

/** What a finished evaluation reports. */
export interface Evaluation {
  finite: boolean;
  /** Spikes fired by a neuron. */
  spikes: number;
  synapticOperations: number;
}

/** Evaluates a node on its input. */
export type Step = (x: Float32Array, interrupt: Interrupt, report: Evaluation) => void;

/** What a step may know of the node's sources. */
export interface StepSource {
  readonly spikes: SpikeList | undefined;
  readonly hasUnitSpikes: boolean;
}
