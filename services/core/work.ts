// The cost of an answer, and an estimate of its energy on neuromorphic hardware.
import type { Inference, InferenceInput } from './inference.ts';
import { readStateHeader } from './session-state.ts';

/** Of one run. */
export type Work = Pick<Inference, 'computeUs' | 'batchItems' | 'synapticOperations' | 'totalSpikes'>;

/** Without the work before its initial state. */
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
 * would make 4.6 pJ). A spike is 0 or 1, so a synaptic operation is a single addition; this makes spiking networks
 * efficient. The estimate leaves out memory and the multiplications of a real-valued input. It is for a
 * neuromorphic-style circuit; this CPU uses thousands of times more.
 */
const JOULES_PER_SYNAPTIC_OPERATION = 0.9e-12;

export function energyJ(synapticOperations: number): number {
  return synapticOperations * JOULES_PER_SYNAPTIC_OPERATION;
}

/** This run's share of the time of its batch. */
export function ownComputeUs({ computeUs, batchItems }: Work): number {
  return computeUs / Math.max(1, batchItems);
}
