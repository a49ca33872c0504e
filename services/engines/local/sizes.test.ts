import { describe, expect, it } from '@jest/globals';
import { type FlatFields, flatGraph } from '../../../test/support/flat-graph.ts';
import { inferSizes } from './sizes.ts';

type Fields = Readonly<Record<string, FlatFields>>;

const input = (...shape: number[]): FlatFields => ({ type: 'Input', integers: { shape } });
const output = (source: string, ...shape: number[]): FlatFields => {
  return { type: 'Output', integers: { shape }, sources: [source] };
};
const scale = (...sources: string[]): FlatFields => ({ type: 'Scale', shapes: { scale: [] }, sources });
const linear = (out: number, into: number, ...sources: string[]): FlatFields => {
  return { type: 'Linear', shapes: { weight: [out, into] }, sources };
};
const pool = (...sources: string[]): FlatFields => {
  return { type: 'SumPool2d', integers: { kernel_size: [2, 2], stride: [2, 2], padding: [0, 0] }, sources };
};
const neurons = (shape: readonly number[], ...sources: string[]): FlatFields => {
  return { type: 'LI', shapes: { tau: shape, r: [], v_leak: [] }, sources };
};

function ordersOf(names: readonly string[]): string[][] {
  if (names.length <= 1) return [[...names]];
  return names.flatMap((first) => ordersOf(names.filter((name) => name !== first)).map((rest) => [first, ...rest]));
}

/** Sizes by name, or the error: the same for every order of the nodes. */
function sizesOf(fields: Fields): unknown {
  const seen = new Map<string, unknown>();
  for (const order of ordersOf(Object.keys(fields))) {
    const result = inOrder(Object.fromEntries(order.map((name) => [name, fields[name]!])));
    seen.set(
      JSON.stringify(result, (_, value: unknown) => value),
      result,
    );
  }
  return seen.size === 1 ? [...seen.values()][0] : [...seen.values()];
}

function inOrder(fields: Fields): unknown {
  try {
    const sizes = inferSizes(flatGraph(fields));
    const byName = Object.keys(fields).map((name, at) => [name, [sizes.input[at], sizes.output[at]]] as const);
    return Object.fromEntries(byName.sort(([a], [b]) => (a < b ? -1 : 1)));
  } catch (error) {
    return (error as Error).message;
  }
}

describe('sizes, whatever the order of the nodes,', () => {
  it('pass from a node to those behind it', () => {
    expect(sizesOf({ in: input(3), l: linear(2, 3, 'in'), a: scale('l'), b: scale('a'), out: output('b', 2) })).toEqual(
      { in: [3, 3], l: [3, 2], a: [2, 2], b: [2, 2], out: [2, 2] },
    );
  });

  it('pass from a node to those before it', () => {
    // a and b get their size from nothing but l.
    const graph = { a: scale('b'), b: scale('a'), l: linear(2, 3, 'b'), out: output('l', 2) };
    expect(sizesOf(graph)).toEqual({ a: [3, 3], b: [3, 3], l: [3, 2], out: [2, 2] });
  });

  it('of a pool follow from the shape that passes through nodes without one', () => {
    const graph = { in: input(2, 4, 6), a: scale('in'), n: neurons([48], 'a'), p: pool('n'), out: output('p', 12) };
    expect(sizesOf(graph)).toEqual({ in: [48, 48], a: [48, 48], n: [48, 48], p: [48, 12], out: [12, 12] });
  });

  it('of a second pool follow from the first', () => {
    const graph = { in: input(1, 4, 8), p: pool('in'), n: scale('p'), q: pool('n'), out: output('q', 2) };
    expect(sizesOf(graph)).toEqual({ in: [32, 32], p: [32, 8], n: [8, 8], q: [8, 2], out: [2, 2] });
  });

  it('of a pool follow from the shape of the parameters before it', () => {
    const graph = { in: input(8), n: neurons([2, 2, 2], 'in'), p: pool('n'), out: output('p', 2) };
    expect(sizesOf(graph)).toEqual({ in: [8, 8], n: [8, 8], p: [8, 2], out: [2, 2] });
  });

  it('of a pool behind a Flatten follow from the flattened shape', () => {
    const flat: FlatFields = { type: 'Flatten', integers: { end_dim: [1], start_dim: [0] }, sources: ['in'] };
    const graph = { in: input(2, 1, 2, 4), f: flat, p: pool('f'), out: output('p', 4) };
    expect(sizesOf(graph)).toEqual({ in: [16, 16], f: [16, 16], p: [16, 4], out: [4, 4] });
  });

  it('of a pool follow from two sources of one shape', () => {
    const graph = {
      in: input(1, 2, 4),
      a: scale('in'),
      b: neurons([1, 2, 4], 'in'),
      p: pool('a', 'b'),
      out: output('p', 2),
    };
    expect(sizesOf(graph)).toEqual({ in: [8, 8], a: [8, 8], b: [8, 8], p: [8, 2], out: [2, 2] });
  });

  it('of a pool follow from the one source that has a shape', () => {
    const graph = { in: input(1, 2, 4), l: linear(8, 8, 'in'), p: pool('in', 'l'), out: output('p', 2) };
    expect(sizesOf(graph)).toEqual({ in: [8, 8], l: [8, 8], p: [8, 2], out: [2, 2] });
  });

  it('of a convolution follow from its input_shape', () => {
    const conv: FlatFields = {
      ...{ type: 'Conv1d', shapes: { weight: [3, 2, 2], bias: [3] }, sources: ['in'] },
      integers: { input_shape: [4], stride: [1], padding: [0], dilation: [1], groups: [1] },
    };
    expect(sizesOf({ in: input(8), c: conv, out: output('c', 9) })).toEqual({ in: [8, 8], c: [8, 9], out: [9, 9] });
  });

  it.each([
    ['a pool', { in: input(1, 2, 4), n: neurons([1, 4, 2], 'in'), p: pool('in', 'n'), out: output('p', 2) }],
    [
      'a node before a pool',
      { in: input(1, 2, 4), n: neurons([1, 4, 2], 'in'), a: scale('in', 'n'), p: pool('a'), out: output('p', 2) },
    ],
  ])('are refused if the sources of %s have different shapes', (_, graph) => {
    const errors = [sizesOf(graph)].flat();
    expect(
      errors.map((error) =>
        /^node "p": field "edges": (?:its sources have|the shape of its input)/.test(String(error)),
      ),
    ).toEqual(errors.map(() => true));
  });

  it('are refused if nothing tells the size of a node', () => {
    expect(sizesOf({ in: input(2), out: output('in', 2), a: scale('a') })).toBe(
      'node "a": field "shape": neither its parameters nor its neighbours tell its size',
    );
  });

  it('are refused if nothing tells the shape before a pool', () => {
    expect(sizesOf({ in: input(8), p: pool('in'), out: output('p', 2) })).toMatch(
      /^node "p": field "edges": the shape of its input is unknown/,
    );
  });
});

describe('sizes that contradict each other', () => {
  it('are named with both nodes', () => {
    expect(sizesOf({ in: input(3), l: linear(2, 4, 'in'), out: output('l', 2) })).toBe(
      'node "l": field "edges": takes 4 elements, but its source "in" puts out 3',
    );
  });

  it('are named at an Input before other nodes', () => {
    const graph = { out: output('l', 5), l: linear(2, 4, 'in'), in: input(3) };
    expect(inOrder(graph)).toMatch(/^node "l": .* its source "in"/);
  });

  it.each<[string, Fields, string]>([
    [
      'an Input',
      { in: input(4, 3), l: linear(2, 3, 'in'), out: output('l', 2) },
      'node "in": field "shape": [4, 3] has 12 elements, but "l" has 3',
    ],
    [
      'an Output',
      { in: input(3), l: linear(2, 3, 'in'), out: output('l', 4, 2) },
      'node "out": field "shape": [4, 2] has 8 elements, but "l" has 2',
    ],
  ])('may come from a batch in %s, and the error says so', (_, graph, expected) => {
    const error = String(sizesOf(graph));
    expect([error.slice(0, expected.length), error.includes('looks like a batch of 4')]).toEqual([expected, true]);
  });

  it.each<[string, Fields]>([
    ['one dimension', { in: input(6), l: linear(2, 3, 'in'), out: output('l', 2) }],
    ['a first dimension that is no batch', { in: input(4, 2), l: linear(2, 3, 'in'), out: output('l', 2) }],
  ])('do not come from a batch where the Input has %s', (_, graph) => {
    expect(sizesOf(graph)).toMatch(/^node "l": field "edges": takes 3 elements/);
  });
});
