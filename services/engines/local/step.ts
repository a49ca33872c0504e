// The interface of a node's step.
import type { Interrupt } from './interrupt.ts';
import type { SpikeList } from './kernels.ts';

/** The result of an evaluation. */
export interface Evaluation {
  finite: boolean;
  /** Spikes fired by a neuron. */
  spikes: number;
  synapticOperations: number;
}

/** Evaluates a node on its input. */
export type Step = (x: Float32Array, interrupt: Interrupt, report: Evaluation) => void;

/** The facts about a node's sources that a step needs. */
export interface StepSource {
  readonly spikes: SpikeList | undefined;
  readonly hasUnitSpikes: boolean;
}
