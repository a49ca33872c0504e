// What answering took, and an estimate of the energy it would take on hardware made for it.
import type { Inference, InferenceInput } from './inference.ts';
import { readStateHeader } from './session-state.ts';

/** Of one run. */
export type Work = Pick<Inference, 'computeUs' | 'batchItems' | 'synapticOperations' | 'totalSpikes'>;

/** Without what was done before the state that it began with. */
export function workOf({ state }: Pick<InferenceInput, 'state'>, inference: Work): Work {
  const before = state === undefined || state.length === 0 ? undefined : readStateHeader(state);
  if (before === undefined) return inference;
  const { computeUs, batchItems, synapticOperations, totalSpikes } = inference;
  return {
    ...{ computeUs, batchItems },
    synapticOperations: BigInt.asUintN(64, synapticOperations - before.synapticOperations),
    totalSpikes: BigInt.asUintN(64, totalSpikes - before.totalSpikes),
  };
}

/**
 * One float32 addition in 45 nm: 0.9 pJ (Horowitz, "Computing's energy problem", ISSCC 2014; a multiplication with it
 * would make 4.6 pJ). A spike is 0 or 1, so a synaptic operation is an addition and nothing else: that is what makes
 * spiking networks thrifty. It leaves out memory, and the multiplications of a real-valued input, and is an estimate for
 * a neuromorphic-style circuit, not for this CPU, which spends thousands of times more.
 */
const JOULES_PER_SYNAPTIC_OPERATION = 0.9e-12;

export function energyJ(synapticOperations: number): number {
  return synapticOperations * JOULES_PER_SYNAPTIC_OPERATION;
}

/** This run's part of the time, for inputs that were simulated together share it. */
export function ownComputeUs({ computeUs, batchItems }: Work): number {
  return computeUs / Math.max(1, batchItems);
}
