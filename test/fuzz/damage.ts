// Damages one part of a graph, so that both engines must refuse it.
import type { FieldValue, GraphSpec, NodeSpec } from '../support/nir-writer.ts';
import type { Random } from './random.ts';

type Fields = Readonly<Record<string, FieldValue>>;

const WAYS: readonly ((random: Random, graph: GraphSpec) => GraphSpec)[] = [
  (random, graph) => withNode(random, graph, (node) => ({ ...node, type: 'Conv7d' })),
  (random, graph) => withField(random, graph, () => undefined),
  (random, graph) => withField(random, graph, () => Number.NaN),
  (random, graph) => withField(random, graph, () => ({ shape: [], values: [16777217], dtype: 'int64' })),
  (random, graph) => withField(random, graph, () => ({ shape: [2], values: [1048576, 1048576], dtype: 'int64' })),
  (random, graph) => withField(random, graph, () => ({ shape: [], values: [0], dtype: 'int64' })),
  (random, graph) => withField(random, graph, () => 'text'),
  (random, graph) => withField(random, graph, () => ({ shape: [37], values: random.list(37, () => 0.5) })),
  (random, graph) => withField(random, graph, () => ({ shape: [], values: [1e39], dtype: 'float64' })),
  (random, graph) => withField(random, graph, () => -1),
  (random, graph) => ({ ...graph, edges: [...graph.edges, [random.pick(Object.keys(graph.nodes)), 'nowhere']] }),
  (random, graph) => ({ ...graph, edges: without(graph.edges, random.pick(graph.edges)) }),
  (_, graph) => ({ ...graph, nodes: { ...graph.nodes, second: { type: 'Output' } } }),
];

export function damage(random: Random, graph: GraphSpec): GraphSpec {
  return random.pick(WAYS)(random, graph);
}

/** Without one edge, however often it is listed. */
function without(edges: GraphSpec['edges'], [source, target]: readonly [string, string]): GraphSpec['edges'] {
  return edges.filter((edge) => edge[0] !== source || edge[1] !== target);
}

function withNode(random: Random, graph: GraphSpec, change: (node: NodeSpec) => NodeSpec): GraphSpec {
  const leaves = Object.entries(graph.nodes).filter((entry): entry is [string, NodeSpec] => !('nodes' in entry[1]));
  const [name, node] = random.pick(leaves);
  return { ...graph, nodes: { ...graph.nodes, [name]: change(node) } };
}

function withField(random: Random, graph: GraphSpec, change: () => FieldValue | undefined): GraphSpec {
  return withNode(random, graph, (node) => {
    const chosen = random.pick(Object.keys(node.fields ?? {}));
    const fields: Fields = Object.fromEntries(
      Object.entries(node.fields ?? {}).flatMap(([name, value]) => {
        const changed = name === chosen ? change() : value;
        return changed === undefined ? [] : [[name, changed]];
      }),
    );
    return { ...node, fields };
  });
}
