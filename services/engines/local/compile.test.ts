import { describe, expect, it } from '@jest/globals';
import type { GraphSpec } from '../../../test/support/nir-writer.ts';
import { dims, matrix, writeNir } from '../../../test/support/nir-writer.ts';
import { chain, compileGraph, node, runGraph } from '../../../test/support/run-network.ts';
import { flatten } from './flatten.ts';
import { readNir } from './nir-reader.ts';
import { orderNodes } from './order.ts';

const RUN = 'dt: 1\nsteps: 1';
const SERIES = 'dt: 1\ninput: {kind: series}\nreadout: {from: last_potential}';
const lif = node('LIF', { tau: 1, r: 1, v_leak: 0, v_threshold: 0.5 });
const scale = node('Scale', { scale: 1 });

function error(graph: GraphSpec, manifest = RUN): string {
  try {
    compileGraph(graph, manifest);
    return 'no error';
  } catch (thrown) {
    return (thrown as Error).message;
  }
}

/** Node names in order of evaluation, and delayed edges as `source → target`. */
function order(graph: GraphSpec): { sequence: string[]; delayed: string[] } {
  const flat = flatten(readNir(writeNir(graph)).graph);
  const { sequence, delayed } = orderNodes(flat);
  const late = flat.nodes.flatMap(({ name, sources }, at) =>
    sources.filter((_, n) => delayed[at]![n]).map((source) => `${flat.nodes[source]!.name} → ${name}`),
  );
  return { sequence: sequence.map((at) => flat.nodes[at]!.name), delayed: late };
}

describe('orderNodes', () => {
  it('walks back from the output, with sources in canonical order', () => {
    const graph: GraphSpec = {
      ...chain(1, 1, { b: scale, '10': scale, '2': scale }),
      edges: ['b', '10', '2'].flatMap((name) => [['input', name] as const, [name, 'output'] as const]),
    };
    expect(order(graph)).toEqual({ sequence: ['input', '10', '2', 'b', 'output'], delayed: [] });
  });

  it('orders names by their UTF-8 bytes', () => {
    const graph: GraphSpec = {
      ...chain(1, 1, { '\u{1f600}': scale, '\u{ff5e}': scale }),
      edges: ['\u{1f600}', '\u{ff5e}'].flatMap((name) => [['input', name] as const, [name, 'output'] as const]),
    };
    expect(order(graph).sequence).toEqual(['input', '\u{ff5e}', '\u{1f600}', 'output']);
  });

  it('delays the edge that leaves the neuron of a loop', () => {
    const affine = node('Affine', { weight: matrix([1]), bias: [2] });
    const graph = chain(1, 1, { lif });
    const looped = {
      ...graph,
      nodes: { ...graph.nodes, back: affine },
      edges: [...graph.edges, ['lif', 'back'], ['back', 'lif']],
    } as const;
    expect(order(looped)).toEqual({ sequence: ['back', 'input', 'lif', 'output'], delayed: ['lif → back'] });
    // Step 0: 0 + bias 2 fires. Step 1: 1 + bias 2.
    expect(runGraph(looped, SERIES, [0], [0])).toMatchObject({ totalSpikes: 2, synapticOperations: 1 });
  });

  it('delays the edge of a node to itself', () => {
    const graph = chain(1, 1, { n: node('Affine', { weight: matrix([3]), bias: [1] }) });
    const looped: GraphSpec = { ...graph, edges: [...graph.edges, ['n', 'n']] };
    // y = 1 + 3·(x + y before): 1 + 3·1 = 4, then 1 + 3·(0 + 4) = 13
    expect(runGraph(looped, SERIES, [1], [0]).potentials[0]).toBe(13);
  });

  it('leaves out nodes that do not reach the output', () => {
    const graph = chain(1, 1, { lif });
    const more: GraphSpec = {
      ...graph,
      nodes: { ...graph.nodes, aside: lif },
      edges: [...graph.edges, ['input', 'aside']],
    };
    expect(order(more).sequence).toEqual(['input', 'lif', 'output']);
    expect(runGraph(more, SERIES, [1]).totalSpikes).toBe(1);
  });

  it('orders a chain longer than the call stack', () => {
    const length = 100_000;
    const nodes = Array.from({ length }, (_, at) => ({
      name: `n${at}`,
      type: 'Flatten' as const,
      parameters: new Map(),
      integers: new Map(),
      sources: at === 0 ? [] : [at - 1],
    }));
    expect(orderNodes({ nodes, inputs: [0], outputs: [length - 1] }).sequence.length).toBe(length);
  });
});

describe('nested graphs', () => {
  const inner = chain(1, 1, { double: node('Scale', { scale: 2 }) });

  it('are replaced by their nodes, named outer/inner', () => {
    expect(order(chain(1, 1, { outer: chain(1, 1, { deep: inner }) })).sequence).toEqual([
      'input',
      'outer/input',
      'outer/deep/input',
      'outer/deep/double',
      'outer/deep/output',
      'outer/output',
      'output',
    ]);
    expect(runGraph(chain(1, 1, { outer: inner }), SERIES, [3]).potentials[0]).toBe(6);
  });

  it('must have exactly one input and one output', () => {
    const two: GraphSpec = { ...inner, nodes: { ...inner.nodes, more: node('Input', { shape: dims(1) }) } };
    expect(error(chain(1, 1, { outer: two }))).toBe(
      'node "outer": field "nodes": must hold exactly one Input, as a nested graph, found 2',
    );
  });

  it('may be at most 16 levels deep', () => {
    const deep = (depth: number): GraphSpec => chain(1, 1, depth === 0 ? { scale } : { g: deep(depth - 1) });
    expect(error(deep(16))).toBe('no error');
    expect(error(deep(17))).toContain('field "nodes": nested deeper than the limit of 16');
  });
});

describe('sizes of nodes', () => {
  it('are taken from a neighbour if the parameters do not give them', () => {
    const network = compileGraph(chain(3, 3, { a: lif, b: scale }), RUN);
    expect(network.nodes.map(({ outputSize }) => outputSize)).toEqual([3, 3, 3, 3]);
  });

  it('pass from node to node, also in a branch that leads nowhere, whatever the names', () => {
    const linear = node('Linear', { weight: matrix([1, 1, 1], [1, 1, 1]) });
    for (const [near, far] of ['ab', 'ba']) {
      const graph = chain(3, 2, { linear });
      const branch = { ...graph.nodes, [near!]: scale, [far!]: scale };
      const edges = [...graph.edges, ['linear', near!], [near!, far!]] as const;
      expect(error({ ...graph, nodes: branch, edges })).toBe('no error');
    }
  });

  it('are refused if they contradict each other', () => {
    expect(error(chain(2, 3, { a: scale }))).toMatch(/^node "(a|output)": field "edges": takes/);
    expect(error(chain(2, 2, { a: node('LI', { tau: [1, 1], r: [1, 1, 1], v_leak: 0 }) }))).toBe(
      'node "a": field "r": has 3 elements, but "tau" gives 2',
    );
    expect(error(chain(1, 2, { a: node('Affine', { weight: matrix([1], [1]), bias: [1, 1, 1] }) }))).toContain(
      'node "a": field "bias"',
    );
  });

  it('must agree with the manifest', () => {
    expect(error(chain(2, 2, { a: scale }), `${RUN}\ninput: {shape: [3]}`)).toContain('key "input.shape"');
    expect(error(chain(6, 6, { a: scale }), `${RUN}\ninput: {shape: [3, 2]}`)).toBe('no error');
  });

  it('are refused above the limit', () => {
    expect(error(chain(1_048_577, 1_048_577, { a: scale }))).toContain('must be 1 to 1048576, found 1048577');
  });

  it('are refused if their sum exceeds the limit', () => {
    const names = Array.from({ length: 200 }, (_, n) => `n${n}`);
    const graph = chain(1_048_576, 1_048_576, Object.fromEntries(names.map((name) => [name, lif])));
    expect(error(graph)).toContain('the nodes have more than 16777216 elements together');
  });
});

describe('compileGraph', () => {
  const graph = chain(1, 1, { a: scale });

  it.each<[string, GraphSpec, string]>([
    ['an edge to a missing node', { ...graph, edges: [...graph.edges, ['a', 'b']] }, 'field "edges": edge "a" → "b"'],
    ['no output', chainWithout(graph, 'output'), 'the root graph: field "nodes": must hold an Output, found none'],
    ['a node without a source', { ...graph, edges: [['a', 'output']] }, 'node "a": field "edges": has no source'],
    ['an edge into the input', { ...graph, edges: [...graph.edges, ['a', 'input']] }, 'node "input": field "edges"'],
    [
      'an edge out of the output',
      { ...graph, edges: [...graph.edges, ['output', 'a']] },
      'node "output": field "edges"',
    ],
    [
      'an input that does not reach an output',
      {
        ...graph,
        edges: [
          ['a', 'a'],
          ['a', 'output'],
        ],
      },
      'node "input": field "edges": does not reach an Output',
    ],
    [
      'an input that does not reach an output, before sizes that contradict each other',
      {
        ...chain(2, 2, { a: node('LI', { tau: [1, 1], r: [1, 1, 1], v_leak: 0 }) }),
        edges: [
          ['a', 'a'],
          ['a', 'output'],
        ],
      },
      'node "input": field "edges": does not reach an Output',
    ],
  ])('refuses %s', (_, bad, message) => {
    expect(error(bad)).toContain(message);
  });

  it('counts a repeated edge once', () => {
    expect(runGraph({ ...graph, edges: [...graph.edges, ...graph.edges] }, SERIES, [3]).potentials[0]).toBe(3);
  });
});

describe('the readout node', () => {
  it('is the node before Output and Flatten nodes', () => {
    const graph = chain(2, 2, { lif, flat: node('Flatten', { input_type: dims(2) }) });
    expect([...runGraph(graph, SERIES, [1, 0]).spikeCounts]).toEqual([1, 0]);
  });

  it('can be set, even in a nested graph', () => {
    const graph = chain(1, 1, { outer: chain(1, 1, { lif }), s: node('Scale', { scale: 5 }) });
    expect(runGraph(graph, 'dt: 1\nsteps: 3\nreadout: {node: outer/lif}', [1]).spikeCounts[0]).toBe(3);
  });

  it('must exist in the network', () => {
    expect(error(chain(1, 1, { lif }), `${RUN}\nreadout: {node: lift}`)).toContain('key "readout.node": "lift"');
  });
});

describe('parameters', () => {
  it('are refused if they overflow binary32', () => {
    const huge = { shape: [], values: [1e39], dtype: 'float64' } as const;
    expect(error(chain(1, 1, { a: node('Scale', { scale: huge }) }))).toContain('node "a": field "scale"');
  });

  it('are refused if a constant computed from them overflows', () => {
    const tiny = { shape: [], values: [1e-300], dtype: 'float64' } as const;
    expect(error(chain(1, 1, { a: node('LI', { tau: tiny, r: 1, v_leak: 0 }) }))).toContain('node "a": field "tau"');
  });
});

function chainWithout(graph: GraphSpec, name: string): GraphSpec {
  const nodes = Object.fromEntries(Object.entries(graph.nodes).filter(([one]) => one !== name));
  return { ...graph, nodes, edges: graph.edges.filter((edge) => !edge.includes(name)) };
}
