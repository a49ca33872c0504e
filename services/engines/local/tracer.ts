// Traces a run step by step: proto/NUMERICS.md, "Tracing".
import type { Trace } from '../engine.ts';
import { TraceDigest } from './digest.ts';
import { Interrupt } from './interrupt.ts';
import type { TraceRun } from './messages.ts';
import type { RuntimeNode } from './runtime-node.ts';
import { NonFinite, Simulator } from './simulator.ts';

/** Thrown to end a run when the trace is complete. */
class Enough extends Error {}

/**
 * The state must be one that refuseState accepted, and `traced.place` must be inside the run and the network. A failing
 * run is traced up to the step before the failure.
 */
export function trace(traced: TraceRun): Trace {
  const { network, place } = traced;
  const simulator = new Simulator(network);
  const nodes = network.nodes.map(({ name }) => name);
  const none = { current: new Uint8Array(0), potential: new Uint8Array(0), output: new Uint8Array(0) };
  if (place === undefined) {
    const { digests, ended } = traceDigests(simulator, traced);
    return { nodes, digests, ...none, ended };
  }
  const node = simulator.nodes[nodes.indexOf(place.node)]!;
  let values = none;
  const ended = run(simulator, traced, (step) => {
    if (step < place.step) return;
    values = { current: copy(node.i), potential: copy(node.v), output: copy(node.y) };
    throw new Enough();
  });
  return { nodes, digests: new BigUint64Array(0), ...values, ended };
}

function traceDigests(simulator: Simulator, traced: TraceRun): { digests: BigUint64Array; ended: string } {
  const { nodes } = simulator;
  const digest = new TraceDigest(Math.max(...nodes.map(({ y }) => y.length)));
  const digests = new BigUint64Array(traced.steps * nodes.length);
  let stepsDone = 0;
  const ended = run(simulator, traced, (step) => {
    for (const [at, node] of nodes.entries()) digests[step * nodes.length + at] = digest.compute(partsOf(node));
    stepsDone = step + 1;
  });
  return { digests: digests.slice(0, stepsDone * nodes.length), ended };
}

/** A node that only passes values on, or is constant, has its values in every step. */
function partsOf({ i, v, y }: RuntimeNode): Float32Array[] {
  return [i, v, y];
}

/** The reason of an engine error that ended the run early; empty: none. */
function run(simulator: Simulator, { input, steps, state }: TraceRun, onStep: (step: number) => void): string {
  try {
    simulator.run(input, steps, Interrupt.never(), onStep, { state, returnState: false });
    return '';
  } catch (error) {
    if (error instanceof Enough) return '';
    if (error instanceof NonFinite) return 'NON_FINITE';
    throw error;
  }
}

function copy(values: Float32Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values.slice().buffer);
}
