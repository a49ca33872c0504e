// Runs a graph on the local engine's simulator, in this thread, for tests that check numbers.
import { parseManifest } from '../../services/config/manifest.ts';
import { compileNetwork } from '../../services/engines/local/compile.ts';
import { Interrupt } from '../../services/engines/local/interrupt.ts';
import type { Network } from '../../services/engines/local/network.ts';
import type { RunResult } from '../../services/engines/local/simulator.ts';
import { Simulator } from '../../services/engines/local/simulator.ts';
import type { FieldValue, GraphSpec, NodeSpec } from './nir-writer.ts';
import { dims, writeNir } from './nir-writer.ts';

export function compileGraph(graph: GraphSpec, manifest: string): Network {
  return compileNetwork(writeNir(graph), parseManifest(manifest));
}

/** `input`: one row for a constant input, else a row for each step. */
export function runGraph(graph: GraphSpec, manifest: string, ...input: (readonly number[])[]): RunResult {
  const network = compileGraph(graph, manifest);
  const steps = network.inputKind === 'series' ? input.length : network.steps;
  return new Simulator(network).run(Float32Array.from(input.flat()), steps, Interrupt.never());
}

export function node(type: string, fields: Readonly<Record<string, FieldValue>> = {}): NodeSpec {
  return { type, fields };
}

/** Input → the nodes as listed → Output. */
export function chain(
  inputs: number,
  outputs: number,
  nodes: Readonly<Record<string, NodeSpec | GraphSpec>>,
): GraphSpec {
  const names = ['input', ...Object.keys(nodes), 'output'];
  return {
    type: 'NIRGraph',
    nodes: {
      input: node('Input', { shape: dims(inputs) }),
      ...nodes,
      output: node('Output', { shape: dims(outputs) }),
    },
    edges: names.slice(1).map((name, at) => [names[at]!, name]),
  };
}

/**
 * The potential and all spikes so far of one neuron, after each step of a series. `manifest` must have a series as input and
 * `last_potential` as readout.
 */
export function traceNeuron(spec: NodeSpec, manifest: string, inputs: readonly number[]) {
  return inputs.map((_, last) => {
    const series = inputs.slice(0, last + 1).map((x) => [x]);
    const { potentials, spikeCounts } = runGraph(chain(1, 1, { n: spec }), manifest, ...series);
    return [potentials[0], spikeCounts[0]];
  });
}
