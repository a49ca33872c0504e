// A NIR file and its manifest to a network that can run: proto/NUMERICS.md, "Model".
import type { Manifest } from '../../config/manifest.ts';
import { nodeConstants } from './constants.ts';
import type { FlatGraph } from './flatten.ts';
import { flatten } from './flatten.ts';
import { MAX_GRAPH_ELEMENTS } from './limits.ts';
import { modelId } from './digest.ts';
import { ModelError } from './model-error.ts';
import type { Network, NetworkNode } from './network.ts';
import { neuronRule } from './neuron-rule.ts';
import { readNir } from './nir-reader.ts';
import { isPassThrough, isStateful } from './node-types.ts';
import type { Order } from './order.ts';
import { orderNodes } from './order.ts';
import type { Sizes } from './sizes.ts';
import { inferSizes } from './sizes.ts';

export function compileNetwork(file: Uint8Array, manifest: Manifest): Network {
  const { graph: nested, nodes: nodeCount, parameters: parameterCount } = readNir(file);
  const graph = flatten(nested);
  const sizes = inferSizes(graph);
  const order = orderNodes(graph);
  checkElements(graph, sizes);
  // Also of nodes that take no part: a parameter that is not finite is an error wherever it stands.
  const constants = graph.nodes.map((node, at) => nodeConstants(node, sizes.output[at]!, manifest));

  const constant = findConstant(graph, order, manifest.input.kind === 'constant');
  const feedsBack = new Set(
    order.sequence.flatMap((at) => graph.nodes[at]!.sources.filter((_, n) => order.delayed[at]![n])),
  );
  const position = new Map(order.sequence.map((at, place) => [at, place]));
  const nodes = order.sequence.map((at): NetworkNode => {
    const { name, type, sources } = graph.nodes[at]!;
    return {
      name,
      type,
      inputSize: sizes.input[at]!,
      outputSize: sizes.output[at]!,
      sources: sources.map((source) => position.get(source)!),
      delayed: order.delayed[at]!,
      constant: constant.has(at),
      feedsBack: feedsBack.has(at),
      constants: constants[at]!,
    };
  });

  return {
    nodes,
    canonical: [...order.sequence].sort((a, b) => a - b).map((at) => position.get(at)!),
    input: position.get(graph.input)!,
    readout: position.get(findReadout(graph, order, manifest))!,
    modelId: modelId(file, manifest, graph.nodes[graph.output]!.name),
    inputKind: manifest.input.kind,
    inputShape: inputShape(graph, sizes, manifest),
    steps: manifest.steps,
    neuronRule: neuronRule(manifest),
    meanPotential: manifest.readout.from === 'mean_potential',
    nodeCount,
    parameterCount,
  };
}

/** Nodes whose output cannot change over a run. */
function findConstant(graph: FlatGraph, order: Order, constantInput: boolean): Set<number> {
  const constant = new Set(constantInput ? [graph.input] : []);
  for (const at of order.sequence) {
    const { type, sources } = graph.nodes[at]!;
    const steady = sources.every((source, n) => constant.has(source) && !order.delayed[at]![n]);
    if (sources.length > 0 && steady && !isStateful(type)) constant.add(at);
  }
  return constant;
}

function findReadout(graph: FlatGraph, order: Order, manifest: Manifest): number {
  const named = manifest.readout.node;
  const start = named === undefined ? graph.output : graph.nodes.findIndex(({ name }) => name === named);
  if (!order.sequence.includes(start)) {
    const problem = start < 0 ? 'there is no such node' : 'does not reach the Output, and so is not evaluated';
    throw new ModelError(`model.yaml: key "readout.node": "${named}": ${problem}`);
  }
  for (let at = start; ;) {
    const { type, sources } = graph.nodes[at]!;
    if (!isPassThrough(type) || sources.length !== 1 || order.delayed[at]![0]) return at;
    at = sources[0]!;
  }
}

function inputShape(graph: FlatGraph, sizes: Sizes, manifest: Manifest): readonly number[] {
  const size = sizes.input[graph.input]!;
  const shape = manifest.input.shape ?? graph.nodes[graph.input]!.shape!;
  const elements = shape.reduce((product, length) => product * length, 1);
  if (elements === size) return shape;
  const problem = `[${shape.join(', ')}] has ${elements} elements, but the network's Input takes ${size}`;
  throw new ModelError(`model.yaml: key "input.shape": ${problem}`);
}

/** Scalars spread over a million elements, four thousand times, would pass every other limit. */
function checkElements({ nodes }: FlatGraph, { input, output }: Sizes): void {
  let elements = 0;
  for (const [at, { name }] of nodes.entries()) {
    elements += Math.max(input[at]!, output[at]!);
    if (elements > MAX_GRAPH_ELEMENTS) {
      throw ModelError.field(name, 'shape', `the nodes have more than ${MAX_GRAPH_ELEMENTS} elements together`);
    }
  }
}
