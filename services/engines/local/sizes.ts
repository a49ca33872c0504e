// How many elements every node takes and puts out: known from its parameters, or else from a neighbour.
import type { FlatGraph, FlatNode } from './flatten.ts';
import { MAX_NODE_ELEMENTS } from './limits.ts';
import { ModelError } from './model-error.ts';
import { fieldsOf } from './node-types.ts';

export interface Sizes {
  readonly input: Int32Array;
  readonly output: Int32Array;
}

export function inferSizes(graph: FlatGraph): Sizes {
  const { nodes } = graph;
  const input = new Int32Array(nodes.length);
  const output = new Int32Array(nodes.length);
  for (const [at, node] of nodes.entries()) {
    const own = ownSizes(node);
    input[at] = own.input;
    output[at] = own.output;
  }
  spread(nodes, input, output);
  for (const [at, node] of nodes.entries()) {
    if (input[at] === 0 || output[at] === 0) {
      throw ModelError.field(node.name, 'shape', 'neither its parameters nor its neighbours tell its size');
    }
    for (const source of node.sources) {
      if (output[source] !== input[at]) {
        const problem = `takes ${input[at]} elements, but its source "${nodes[source]!.name}" puts out ${output[source]}`;
        throw ModelError.field(node.name, 'edges', problem);
      }
    }
  }
  return { input, output };
}

/** Every edge, and every node whose sizes are one, passes a known size on until nothing changes. 0 means unknown. */
function spread(nodes: readonly FlatNode[], input: Int32Array, output: Int32Array): void {
  const targets: number[][] = nodes.map(() => []);
  for (const [at, node] of nodes.entries()) for (const source of node.sources) targets[source]!.push(at);
  const isWeighted = nodes.map((node) => node.parameters.has('weight'));
  const waiting = nodes.map((_, at) => at).filter((at) => output[at] !== 0);
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const target of targets[at]!) {
      if (input[target] !== 0 || output[at] === 0) continue;
      input[target] = output[at]!;
      if (!isWeighted[target]) output[target] = input[target];
      waiting.push(target);
    }
    for (const source of nodes[at]!.sources) {
      if (output[source] !== 0 || input[at] === 0) continue;
      output[source] = input[at]!;
      if (!isWeighted[source]) input[source] = output[source];
      waiting.push(source);
    }
  }
}

function ownSizes(node: FlatNode): { input: number; output: number } {
  const weight = node.parameters.get('weight');
  let size = 0;
  let from = '';
  const learn = (field: string, elements: number): void => {
    if (elements > MAX_NODE_ELEMENTS) {
      throw ModelError.field(node.name, field, `gives ${elements} elements, over the limit of ${MAX_NODE_ELEMENTS}`);
    }
    if (size !== 0 && size !== elements) {
      throw ModelError.field(node.name, field, `has ${elements} elements, but "${from}" gives ${size}`);
    }
    size = elements;
    from = field;
  };
  if (weight !== undefined) learn('weight', weight.shape[0]!);
  if (node.shape !== undefined) {
    const field = fieldsOf(node.type).find(({ kind }) => kind === 'shape')!;
    learn(
      field.name,
      node.shape.reduce((product, length) => product * length, 1),
    );
  }
  for (const { name, kind } of fieldsOf(node.type)) {
    const elements = kind === 'vector' ? node.parameters.get(name)!.values.length : 1;
    if (elements > 1) learn(name, elements);
  }
  if (weight === undefined) return { input: size, output: size };
  const width = weight.shape[1]!;
  if (width > MAX_NODE_ELEMENTS) {
    throw ModelError.field(node.name, 'weight', `takes ${width} elements, over the limit of ${MAX_NODE_ELEMENTS}`);
  }
  return { input: width, output: size };
}
