// Flattens nested graphs to one graph: nodes are named `outer/inner`, edges become a set, everything is in canonical
// order.
import { ModelError } from './model-error.ts';
import type { NirGraph, NirNode } from './nir-graph.ts';
import { compareNames } from '../../core/names.ts';

export interface FlatNode extends NirNode {
  readonly name: string;
  /** Indices of the nodes whose outputs it takes, ascending. */
  readonly sources: readonly number[];
}

export interface FlatGraph {
  /** In canonical order, so indices sort nodes as their names do. */
  readonly nodes: readonly FlatNode[];
  /** The root graph's, ascending. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** The ends of a nested graph: edges into it go to its `entry`, edges out of it start at its `exit`. */
interface Ends {
  readonly entry: string;
  readonly exit: string;
}

export function flatten(root: NirGraph): FlatGraph {
  const leaves = new Map<string, NirNode>();
  const sources = new Map<string, Set<string>>();

  // The reader has limited the depth of the recursion.
  function walk(graph: NirGraph, prefix: string): Ends {
    const owner = prefix.slice(0, -1);
    const ends = new Map<string, Ends>();
    for (const [name, node] of graph.nodes) {
      const fullName = prefix + name;
      if (node.type === 'NIRGraph') {
        ends.set(name, walk(node, `${fullName}/`));
      } else {
        leaves.set(fullName, node);
        sources.set(fullName, new Set());
        ends.set(name, { entry: fullName, exit: fullName });
      }
    }
    for (const [source, target] of graph.edges) {
      const from = ends.get(source);
      const to = ends.get(target);
      if (from === undefined || to === undefined) {
        const missing = from === undefined ? source : target;
        throw ModelError.field(owner, 'edges', `edge "${source}" → "${target}": there is no node "${missing}"`);
      }
      sources.get(to.entry)!.add(from.exit);
    }
    // A file cannot contain an edge into or out of the root graph.
    if (prefix === '') return { entry: '', exit: '' };
    return { entry: prefix + onlyOne(graph, 'Input', owner), exit: prefix + onlyOne(graph, 'Output', owner) };
  }

  walk(root, '');
  const names = [...leaves.keys()].sort(compareNames);
  const index = new Map(names.map((name, at) => [name, at]));
  const nodes = names.map((name) => ({
    name,
    ...leaves.get(name)!,
    sources: [...sources.get(name)!].map((source) => index.get(source)!).sort((a, b) => a - b),
  }));
  const graph = { nodes, inputs: endsOf(root, 'Input', index), outputs: endsOf(root, 'Output', index) };
  checkEnds(graph);
  return graph;
}

function namesOf(graph: NirGraph, type: 'Input' | 'Output'): string[] {
  return [...graph.nodes].filter(([, node]) => node.type === type).map(([name]) => name);
}

function endsOf(root: NirGraph, type: 'Input' | 'Output', index: ReadonlyMap<string, number>): number[] {
  const ends = namesOf(root, type).map((name) => index.get(name)!);
  if (ends.length === 0) throw ModelError.field('', 'nodes', `must hold an ${type}, found none`);
  return ends.sort((a, b) => a - b);
}

function onlyOne(graph: NirGraph, type: 'Input' | 'Output', owner: string): string {
  const names = namesOf(graph, type);
  if (names.length === 1) return names[0]!;
  throw ModelError.field(owner, 'nodes', `must hold exactly one ${type}, as a nested graph, found ${names.length}`);
}

function checkEnds({ nodes, inputs, outputs }: FlatGraph): void {
  const isInput = new Set(inputs);
  const isOutput = new Set(outputs);
  for (const [at, node] of nodes.entries()) {
    if (isInput.has(at) && node.sources.length > 0) {
      throw ModelError.field(node.name, 'edges', 'nothing may enter an Input of the root graph');
    }
    if (!isInput.has(at) && node.sources.length === 0) {
      throw ModelError.field(node.name, 'edges', 'has no source');
    }
    const output = node.sources.find((source) => isOutput.has(source));
    if (output !== undefined) {
      throw ModelError.field(nodes[output]!.name, 'edges', 'nothing may leave an Output of the root graph');
    }
  }
}
