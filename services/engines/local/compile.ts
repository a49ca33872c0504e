// A NIR file and its manifest to a network that can run: proto/NUMERICS.md, "Model".
import type { Manifest } from '../../config/manifest.ts';
import { nodeConstants } from './constants.ts';
import type { FlatGraph } from './flatten.ts';
import { flatten } from './flatten.ts';
import { MAX_GRAPH_ELEMENTS } from './limits.ts';
import { modelId } from './digest.ts';
import { ModelError } from './model-error.ts';
import { delayedElements, nodeDelays } from './delays.ts';
import type { Network, NetworkInput, NetworkNode } from './network.ts';
import { neuronRule, settingsOf } from './neuron-rule.ts';
import { readNir } from './nir-reader.ts';
import { canChange, firesSpikes, isPassThrough, isStateful } from './node-types.ts';
import type { Order } from './order.ts';
import { orderNodes } from './order.ts';
import type { Sizes } from './sizes.ts';
import { inferSizes } from './sizes.ts';

/** Of nodes that an error lists. */
const MAX_NAMES = 10;

export function compileNetwork(file: Uint8Array, manifest: Manifest): Network {
  const { graph: nested, nodes: nodeCount, parameters: parameterCount } = readNir(file);
  const graph = flatten(nested);
  // In the order of the C++ engine, so that both name the same problem of a file with several.
  const order = orderNodes(graph);
  const sizes = inferSizes(graph);
  checkSettings(graph, manifest);
  checkElements(graph, sizes, 0);
  // Also of nodes that take no part: a parameter that is not finite is an error wherever it stands.
  const constants = graph.nodes.map((node, at) => {
    return nodeConstants(node, sizes.output[at]!, sizes.windows[at], manifest);
  });
  const delays = graph.nodes.map((node, at) => nodeDelays(node, sizes.output[at]!, manifest.dt));
  checkElements(
    graph,
    sizes,
    delays.reduce((sum, steps) => sum + delayedElements(steps), 0),
  );

  const constant = findConstant(graph, order, manifest.input.kind === 'constant');
  const feedsBack = new Set(
    order.sequence.flatMap((at) => graph.nodes[at]!.sources.filter((_, n) => order.delayed[at]![n])),
  );
  const position = new Map(order.sequence.map((at, index) => [at, index]));
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
      rule: isStateful(type) ? neuronRule(settingsOf(manifest, name)) : undefined,
      window: sizes.windows[at],
      delays: delays[at],
    };
  });
  const inputs: NetworkInput[] = [];
  for (const at of graph.inputs) {
    const from = inputs.at(-1)?.to ?? 0;
    inputs.push({ node: position.get(at)!, from, to: from + sizes.output[at]! });
  }
  const inputSize = inputs.at(-1)!.to;

  return {
    nodes,
    canonical: [...order.sequence].sort((a, b) => a - b).map((at) => position.get(at)!),
    inputs,
    inputSize,
    readout: position.get(findReadout(graph, order, manifest))!,
    modelId: modelId(file, manifest, graph.nodes[graph.outputs[0]!]!.name),
    inputKind: manifest.input.kind,
    inputShape: inputShape(graph, inputSize, manifest),
    steps: manifest.steps,
    hasMultipleSpikes: nodes.some(({ type, rule }) => firesSpikes(type) && rule!.multiple),
    readoutFrom: manifest.readout.from,
    nodeCount,
    parameterCount,
  };
}

/** `nodes` of the manifest names neurons of the file, evaluated or not. */
function checkSettings(graph: FlatGraph, { nodes = {} }: Manifest): void {
  const types = new Map(graph.nodes.map(({ name, type }) => [name, type]));
  for (const name of Object.keys(nodes)) {
    const type = types.get(name);
    if (type !== undefined && isStateful(type)) continue;
    const problem =
      type === undefined
        ? `there is no such node; those with settings are ${neuronsOf(graph)}`
        : `is of type ${type}, which has no such settings`;
    throw new ModelError(`model.yaml: key "nodes.${name}": ${problem}`);
  }
}

/** The first few, for people. */
function neuronsOf({ nodes }: FlatGraph): string {
  const names = nodes.filter(({ type }) => isStateful(type)).map(({ name }) => `"${name}"`);
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : '';
  return names.length === 0 ? 'none' : names.slice(0, MAX_NAMES).join(', ') + more;
}

/** Nodes whose output cannot change over a run. */
function findConstant(graph: FlatGraph, order: Order, constantInput: boolean): Set<number> {
  const constant = new Set(constantInput ? graph.inputs : []);
  for (const at of order.sequence) {
    const { type, sources } = graph.nodes[at]!;
    const steady = sources.every((source, n) => constant.has(source) && !order.delayed[at]![n]);
    if (sources.length > 0 && steady && !canChange(type)) constant.add(at);
  }
  return constant;
}

function findReadout(graph: FlatGraph, order: Order, manifest: Manifest): number {
  const named = manifest.readout.node;
  const start = named === undefined ? graph.outputs[0]! : graph.nodes.findIndex(({ name }) => name === named);
  if (!order.sequence.includes(start)) {
    const problem = start < 0 ? 'there is no such node' : 'does not reach an Output, and so is not evaluated';
    throw new ModelError(`model.yaml: key "readout.node": "${named}": ${problem}`);
  }
  for (let at = start; ;) {
    const { type, sources } = graph.nodes[at]!;
    if (!isPassThrough(type) || sources.length !== 1 || order.delayed[at]![0]) return at;
    at = sources[0]!;
  }
}

/** Of one input its own shape; several are laid out in a row. */
function inputShape({ nodes, inputs }: FlatGraph, size: number, manifest: Manifest): readonly number[] {
  const own = inputs.length === 1 ? nodes[inputs[0]!]!.integers.get('shape')! : [size];
  const shape = manifest.input.shape ?? own;
  const elements = shape.reduce((product, length) => product * length, 1);
  if (elements === size) return shape;
  const problem = `[${shape.join(', ')}] has ${elements} elements, but the network takes ${size}`;
  throw new ModelError(`model.yaml: key "input.shape": ${problem}`);
}

/** Scalars spread over a million elements, four thousand times, would pass every other limit. */
function checkElements({ nodes }: FlatGraph, { input, output }: Sizes, delayed: number): void {
  let elements = delayed;
  for (const [at, { name }] of nodes.entries()) {
    elements += Math.max(input[at]!, output[at]!);
    if (elements > MAX_GRAPH_ELEMENTS) {
      throw ModelError.field(
        name,
        'shape',
        `the nodes have more than ${MAX_GRAPH_ELEMENTS} elements together, those of each step of a Delay counted by themselves`,
      );
    }
  }
}
