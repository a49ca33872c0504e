// Runs a network on a recording's input and finds the first difference from the recording.
import { Interrupt } from '../engines/local/interrupt.ts';
import type { Network } from '../engines/local/network.ts';
import { isSpiking } from '../engines/local/node-types.ts';
import { NonFinite, Simulator } from '../engines/local/simulator.ts';
import type { Recording } from './recording.ts';

/**
 * Tolerance of potentials, relative to the largest value in the recording: rounding in a different order may cause this
 * difference.
 */
export const TOLERANCE = 1e-4;

export interface Difference {
  readonly step: number;
  readonly node: string;
  readonly neuron: number;
  readonly recorded: number;
  readonly served: number;
}

export interface Comparison {
  /** Undefined: the network matches the recording. */
  readonly difference: Difference | undefined;
  /** Number of compared spikes and other values. */
  readonly values: number;
  /** Number of equal steps. */
  readonly equalSteps: number;
  /** Why the run ended early. */
  readonly failed: string | undefined;
}

interface Watched {
  readonly node: string;
  readonly size: number;
  readonly output: () => Float32Array;
  readonly recorded: Float64Array;
  readonly tolerance: number;
}

class Differs extends Error {}

export function compareWithRecording(network: Network, recording: Recording): Comparison {
  const simulator = new Simulator(network);
  const watched = watch(network, simulator, recording);
  let [difference, equalSteps]: [Difference | undefined, number] = [undefined, 0];
  let failed: string | undefined;
  try {
    simulator.run(recording.input, recording.steps, Interrupt.never(), (step) => {
      difference = firstDifference(watched, step);
      if (difference !== undefined) throw new Differs();
      equalSteps = step + 1;
    });
  } catch (error) {
    if (error instanceof NonFinite) failed = error.message;
    else if (!(error instanceof Differs)) throw error;
  }
  const values = watched.reduce((sum, { recorded }) => sum + recorded.length, 0);
  return { difference, values, equalSteps, failed };
}

function watch(network: Network, simulator: Simulator, recording: Recording): Watched[] {
  const known = new Map(network.nodes.map(({ name }, at) => [name, at]));
  const watched = [...recording.outputs].map(([name, recorded]) => {
    const at = known.get(name) ?? (name === 'output' ? network.readout : undefined);
    if (at === undefined) {
      throw new Error(`array "${name}": the network has no node of this name; it has ${[...known.keys()].join(', ')}`);
    }
    const { type, outputSize } = network.nodes[at]!;
    const size = recorded.length / recording.steps;
    if (size !== outputSize) {
      throw new Error(`array "${name}" has ${size} elements a step, but the node has ${outputSize}`);
    }
    const largest = recorded.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const node = simulator.nodes[at]!;
    const isSpikes = isSpiking(type) || (node.spikes !== undefined && type === 'Output');
    const tolerance = isSpikes ? 0 : largest * TOLERANCE;
    return { at, node: name, size, output: () => node.y, recorded, tolerance };
  });
  return watched.sort((a, b) => a.at - b.at);
}

/** In order of evaluation, so that the first one is the origin. */
function firstDifference(watched: readonly Watched[], step: number): Difference | undefined {
  for (const { node, size, output, recorded, tolerance } of watched) {
    const y = output();
    for (let neuron = 0; neuron < size; neuron += 1) {
      const [expected, served] = [recorded[step * size + neuron]!, y[neuron]!];
      if (!(Math.abs(expected - served) <= tolerance)) return { step, node, neuron, recorded: expected, served };
    }
  }
  return undefined;
}
