// Flat graphs from plain objects, without a file.
import type { FlatGraph, FlatNode } from '../../services/engines/local/flatten.ts';
import type { NodeType } from '../../services/engines/local/node-types.ts';

export interface FlatFields {
  readonly type: NodeType;
  readonly integers?: Readonly<Record<string, readonly number[]>>;
  /** Parameters of these shapes, all 1. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  readonly sources?: readonly string[];
}

/** In the order of its names; each node at the index of its name. */
export function flatGraph(fields: Readonly<Record<string, FlatFields>>): FlatGraph {
  const names = Object.keys(fields);
  const nodes = names.map((name) => flatNode(fields[name]!, name, names));
  const of = (type: NodeType): number[] => [...nodes.keys()].filter((at) => nodes[at]!.type === type);
  return { nodes, inputs: of('Input'), outputs: of('Output') };
}

export function flatNode({ type, integers, shapes, sources }: FlatFields, name = 'n', names = [name]): FlatNode {
  const parameters = Object.entries(shapes ?? {}).map(([field, shape]) => {
    const count = shape.reduce((product, length) => product * length, 1);
    return [field, { shape, values: new Float64Array(count).fill(1) }] as const;
  });
  return {
    ...{ name, type, parameters: new Map(parameters), integers: new Map(Object.entries(integers ?? {})) },
    sources: (sources ?? []).map((source) => names.indexOf(source)).sort((a, b) => a - b),
  };
}
