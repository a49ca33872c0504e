// Exports a student as a NIR file: its readout after its base, or directly after the input.
import { stringify } from 'yaml';
import type { Manifest } from '../config/manifest.ts';
import { compileNetwork } from '../engines/local/compile.ts';
import type { NirGraph, NirNode, Parameter } from '../engines/local/nir-graph.ts';
import { readNir } from '../engines/local/nir-reader.ts';
import { RouterError } from '../core/errors.ts';
import type { Learner } from './learner.ts';
import { writeNir } from './nir-writer.ts';

const READOUT = 'student_readout';
const OUTPUT = 'student_output';

/** The files of a repository model. */
export interface ModelFiles {
  readonly nir: Uint8Array;
  readonly manifest: Manifest;
  /** Content of the manifest's `tokenizer` file; undefined: none. */
  readonly tokenizer: Uint8Array | undefined;
}

interface StudentFiles {
  readonly nir: Uint8Array;
  /** Text of model.yaml. */
  readonly manifest: string;
}

/** Equal learners and bases give equal bytes. `base`: undefined if the student has none. Throws INVALID_FIELD. */
export function studentFiles(learner: Learner, base: ModelFiles | undefined): StudentFiles {
  const { features, labels } = learner.spec;
  if (base === undefined) {
    const graph = withReadout(inputOf(features), 'input', learner);
    const input = { shape: [features], kind: 'constant' };
    const readout = { node: READOUT, from: 'last_potential' };
    return { nir: writeNir(graph), manifest: stringify({ dt: 1e-3, steps: 1, input, readout, labels }) };
  }
  const { name: _, golden: __, vote: ___, ...run } = base.manifest;
  // The mean of the readout's output over the steps is the readout of the mean spikes.
  const readout = { node: READOUT, from: 'mean_potential' };
  return {
    nir: writeNir(withReadout(readNir(base.nir).graph, readoutNode(base), learner)),
    manifest: stringify({ ...run, readout, labels, temperature: 1 }),
  };
}

/** Throws INVALID_FIELD if no readout can follow the model's readout. */
export function checkBase(base: ModelFiles): void {
  const { graph } = readNir(base.nir);
  if (base.manifest.readout.from !== 'spike_count') {
    throw refused('its readout is a potential; name a model whose readout is spike_count');
  }
  if (!graph.nodes.has(readoutNode(base))) throw refused('its readout is inside a nested graph');
  for (const name of [READOUT, OUTPUT]) if (graph.nodes.has(name)) throw refused(`it has a node "${name}" already`);
}

function refused(why: string): RouterError {
  return new RouterError('INVALID_FIELD', `the base cannot have students: ${why}`, { field: 'start.base' });
}

function readoutNode({ nir, manifest }: ModelFiles): string {
  const network = compileNetwork(nir, manifest);
  return network.nodes[network.readout]!.name;
}

function inputOf(features: number): NirGraph {
  return {
    type: 'NIRGraph',
    nodes: new Map([['input', node('Input', { integers: { shape: [features] } })]]),
    edges: [],
  };
}

function withReadout({ nodes, edges }: NirGraph, behind: string, { spec, readout }: Learner): NirGraph {
  const { features, labels } = spec;
  const affine = node('Affine', {
    parameters: {
      weight: { shape: [labels.length, features], values: Float64Array.from(readout.meanWeights) },
      bias: { shape: [labels.length], values: Float64Array.from(readout.meanBias) },
    },
  });
  const output = node('Output', { integers: { shape: [labels.length] } });
  return {
    type: 'NIRGraph',
    nodes: new Map([...nodes, [READOUT, affine], [OUTPUT, output]]),
    edges: [...edges, [behind, READOUT], [READOUT, OUTPUT]],
  };
}

function node(
  type: NirNode['type'],
  fields: {
    readonly parameters?: Readonly<Record<string, Parameter>>;
    readonly integers?: Readonly<Record<string, readonly number[]>>;
  },
): NirNode {
  return {
    type,
    parameters: new Map(Object.entries(fields.parameters ?? {})),
    integers: new Map(Object.entries(fields.integers ?? {})),
  };
}
