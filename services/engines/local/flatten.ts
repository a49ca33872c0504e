// Nested graphs to one graph: nodes named `outer/inner`, edges between them as a set, everything in canonical order.
import { ModelError } from './model-error.ts';
import type { NirGraph, NirNode } from './nir-graph.ts';
import { compareNames } from '../../core/names.ts';

export interface FlatNode extends NirNode {
  readonly name: string;
  /** Indices of the nodes whose outputs it takes, ascending. */
  readonly sources: readonly number[];
}

export interface FlatGraph {
  /** In canonical order, so that an index orders nodes as their names do. */
  readonly nodes: readonly FlatNode[];
  readonly input: number;
  readonly output: number;
}

/** What stands in for a nested graph: edges into it go to its `entry`, edges out of it leave its `exit`. */
interface Ends {
  readonly entry: string;
  readonly exit: string;
}

export function flatten(root: NirGraph): FlatGraph {
  const leaves = new Map<string, NirNode>();
  const sources = new Map<string, Set<string>>();

  // Recursion is as deep as the reader let the graph be.
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
    return { entry: prefix + onlyOne(graph, 'Input', owner), exit: prefix + onlyOne(graph, 'Output', owner) };
  }

  const { entry, exit } = walk(root, '');
  const names = [...leaves.keys()].sort(compareNames);
  const index = new Map(names.map((name, at) => [name, at]));
  const nodes = names.map((name) => ({
    name,
    ...leaves.get(name)!,
    sources: [...sources.get(name)!].map((source) => index.get(source)!).sort((a, b) => a - b),
  }));
  checkEnds(nodes, index.get(entry)!, index.get(exit)!);
  return { nodes, input: index.get(entry)!, output: index.get(exit)! };
}

function onlyOne(graph: NirGraph, type: 'Input' | 'Output', owner: string): string {
  const names = [...graph.nodes].filter(([, node]) => node.type === type).map(([name]) => name);
  if (names.length === 1) return names[0]!;
  throw ModelError.field(owner, 'nodes', `must hold exactly one ${type}, found ${names.length}`);
}

function checkEnds(nodes: readonly FlatNode[], input: number, output: number): void {
  for (const [at, node] of nodes.entries()) {
    if (at === input && node.sources.length > 0) {
      throw ModelError.field(node.name, 'edges', 'nothing may enter the Input of the root graph');
    }
    if (at !== input && node.sources.length === 0) {
      throw ModelError.field(node.name, 'edges', 'has no source');
    }
    if (node.sources.includes(output)) {
      throw ModelError.field(nodes[output]!.name, 'edges', 'nothing may leave the Output of the root graph');
    }
  }
}
