// What a NIR file may hold at the limits of its reader, and every kind of number in it.
import { describe, expect, it } from '@jest/globals';
import type { File, Group } from 'h5wasm';
import { type NodeSpec, dims, writeHdf5, writeNir } from '../../../test/support/nir-writer.ts';
import { chain, node } from '../../../test/support/run-network.ts';
import { Hdf5File } from './hdf5.ts';
import type { NirNode } from './nir-graph.ts';
import { readNir } from './nir-reader.ts';

function error(bytes: Uint8Array): string {
  try {
    readNir(bytes);
    return 'no error';
  } catch (thrown) {
    return (thrown as Error).message;
  }
}

const one = (spec: NodeSpec): Uint8Array => writeNir(chain(1, 1, { n: spec }));
const read = (spec: NodeSpec): NirNode => readNir(one(spec)).graph.nodes.get('n') as NirNode;
const filled = (count: number, value = 1) => Array<number>(count).fill(value);

/** A file with only a root graph, for `fill` to add to. */
function graphWith(fill: (graph: Group) => void, type = 'NIRGraph'): Uint8Array {
  return writeHdf5((file: File) => {
    const graph = file.create_group('node');
    graph.create_dataset({ name: 'type', data: type, shape: [], dtype: 'S' });
    fill(graph);
  });
}

describe('counts of a NIR file', () => {
  it('are those of all its graphs', () => {
    const inner = chain(1, 1, { a: node('Scale', { scale: [1, 2, 3] }) });
    const { nodes, parameters } = readNir(writeNir(chain(1, 1, { outer: inner, b: node('LIF', lif(2)) })));
    expect([nodes, parameters]).toEqual([2 + 3 + 1, 3 + 2 + 1 + 1 + 1]);
  });
});

function lif(elements: number) {
  return { tau: filled(elements), r: 1, v_leak: 0, v_threshold: 1 };
}

describe('shapes in a NIR file', () => {
  const values = (...shape: number[]) => ({ shape, values: filled(shape.reduce((a, b) => a * b, 1)) });
  const convolution = (...shape: number[]) => {
    const ones = dims(1);
    return { weight: values(...shape), bias: [0], stride: ones, padding: 'valid', dilation: ones, groups: ones };
  };

  it.each<[string, NodeSpec, readonly number[]]>([
    ['a matrix', node('Linear', { weight: values(1, 3) }), [1, 3]],
    ['a matrix in a batch of one', node('Linear', { weight: values(1, 2, 3) }), [2, 3]],
    ['a matrix in a batch in a batch', node('Linear', { weight: values(1, 1, 1, 1) }), [1, 1]],
    ['a convolution of one row in a batch', node('Conv1d', convolution(1, 1, 1, 2)), [1, 1, 2]],
    ['a convolution in a batch', node('Conv2d', convolution(1, 2, 1, 1, 2)), [2, 1, 1, 2]],
  ])('of the weights of %s', (_, spec, shape) => {
    expect(read(spec).parameters.get('weight')!.shape).toEqual(shape);
  });

  it.each<[string, NodeSpec, string]>([
    [
      'a matrix in a batch of two',
      node('Linear', { weight: values(2, 1, 3) }),
      'must have shape [out, in], found [2, 1, 3]',
    ],
    [
      'too few of a convolution',
      node('Conv2d', convolution(2, 1, 2)),
      'must have shape [out, in / groups, kernel], found',
    ],
    [
      'too few of one row',
      node('Conv1d', convolution(2, 1)),
      'must have shape [out, in / groups, kernel], found [2, 1]',
    ],
  ])('of %s are refused', (_, spec, message) => {
    expect(error(one(spec))).toContain(`node "n": field "weight": ${message}`);
  });

  it('of other parameters stay', () => {
    const { parameters } = read(node('Scale', { scale: values(1, 1, 2) }));
    expect(parameters.get('scale')).toEqual({ shape: [1, 1, 2], values: Float64Array.of(1, 1) });
  });

  it.each([
    [1, 'no error'],
    [32, 'no error'],
    [33, 'node "n": field "input_type": has shape [33], more than 32 elements'],
  ])('of %d dimensions', (rank, expected) => {
    expect(error(one(node('Flatten', { input_type: dims(...filled(rank)) })))).toBe(expected);
  });

  it.each<[string, number[]]>([
    ['one list', [4]],
    ['three columns', [2, 3]],
    ['three dimensions', [1, 2, 2]],
  ])('of edges in %s are refused', (_, shape) => {
    const names = filled(shape.reduce((a, b) => a * b, 1)).map(() => 'n');
    const bytes = graphWith((graph) => {
      graph.create_group('nodes');
      graph.create_dataset({ name: 'edges', data: names, shape, dtype: 'S' });
    });
    expect(error(bytes)).toBe(`the root graph: field "edges": must have shape [edges, 2], found [${shape.join(', ')}]`);
  });
});

describe('numbers in a NIR file', () => {
  it.each<[string, string, Float32Array | Float64Array, readonly number[]]>([
    ['binary32', '<f', Float32Array.of(0.5, -2), [0.5, -2]],
    ['binary64', '<d', Float64Array.of(0.1, 1e300), [0.1, 1e300]],
  ])('are read as %s', (_, dtype, data, expected) => {
    expect([...Hdf5File.read(numbers(dtype, data), (file) => file.floats('/n', 2)).values]).toEqual(expected);
  });

  it.each<[string, string, ArrayBufferView, readonly number[]]>([
    ['int8', '<b', Int8Array.of(-128, 127), [-128, 127]],
    ['uint8', '<B', Uint8Array.of(0, 255), [0, 255]],
    ['int16', '<h', Int16Array.of(-32768, 259), [-32768, 259]],
    ['uint16', '<H', Uint16Array.of(65535, 259), [65535, 259]],
    ['int32', '<i', Int32Array.of(-(2 ** 31), 66051), [-(2 ** 31), 66051]],
    ['uint32', '<I', Uint32Array.of(2 ** 32 - 1, 66051), [2 ** 32 - 1, 66051]],
    ['int64', '<q', BigInt64Array.of(-(2n ** 53n), 66051n), [-(2 ** 53), 66051]],
    ['uint64', '<Q', BigUint64Array.of(2n ** 53n, 66051n), [2 ** 53, 66051]],
    ['int64 that binary64 does not hold', '<q', BigInt64Array.of(2n ** 53n + 1n, -1n), [NaN, -1]],
    ['uint64 that int64 does not hold', '<Q', BigUint64Array.of(2n ** 63n, 1n), [NaN, 1]],
  ])('are read as %s', (_, dtype, data, expected) => {
    expect(Hdf5File.read(numbers(dtype, data), (file) => file.integers('/n', 2)).values).toEqual(expected);
  });

  it('may be as many as asked for', () => {
    const bytes = numbers('<f', Float32Array.of(1, 2));
    const floats = (most: number) => Hdf5File.read(bytes, (file) => file.floats('/n', most)).shape;
    expect(floats(2)).toEqual([2]);
    expect(() => floats(1)).toThrow('has shape [2], more than 1 elements');
  });

  it('are no integers where they are floats, and the reverse only if exact', () => {
    const floats = numbers('<f', Float32Array.of(1));
    expect(() => Hdf5File.read(floats, (file) => file.integers('/n', 9))).toThrow('must be integers');
    const exact = numbers('<i', Int32Array.of(3, 2 ** 24));
    expect([...Hdf5File.read(exact, (file) => file.floats('/n', 9)).values]).toEqual([3, 2 ** 24]);
    const inexact = numbers('<i', Int32Array.of(3, 2 ** 24 + 1));
    expect(() => Hdf5File.read(inexact, (file) => file.floats('/n', 9))).toThrow('at index 1');
  });
});

function numbers(dtype: string, data: ArrayBufferView): Uint8Array {
  return writeHdf5((file) => {
    const list = data as Float32Array;
    file.create_dataset({ name: 'n', data: list, shape: [list.length], dtype });
  });
}

describe('texts in a NIR file', () => {
  const texts = (data: string[], dtype = 'S'): Uint8Array => {
    return writeHdf5((file) => file.create_dataset({ name: 't', data, shape: [data.length], dtype }));
  };
  const readTexts = (bytes: Uint8Array, most = 9) => Hdf5File.read(bytes, (file) => file.strings('/t', most)).values;

  it.each(['S', 'S8'])('may be empty, and stored as %s', (dtype) => {
    expect(readTexts(texts(['ab', '', 'déf'], dtype))).toEqual(['ab', '', 'déf']);
  });

  it('may be as many as asked for', () => {
    expect(readTexts(texts(['a', 'b']), 2)).toEqual(['a', 'b']);
    expect(() => readTexts(texts(['a', 'b']), 1)).toThrow('has shape [2], more than 1 elements');
  });

  it('have at most 4096 bytes', () => {
    expect(readTexts(texts(['a'.repeat(4096)], 'S4096'))).toEqual(['a'.repeat(4096)]);
    expect(() => readTexts(texts(['a'], 'S4097'))).toThrow('holds text longer than 4096 bytes');
  });

  it('are no numbers', () => {
    const bytes = writeHdf5((file) => file.create_dataset({ name: 't', data: Float32Array.of(1), shape: [1] }));
    expect(() => readTexts(bytes)).toThrow('must be text');
  });
});

describe('a NIR file', () => {
  it.each<[string, Uint8Array, string]>([
    [
      'whose root is no graph',
      graphWith(() => undefined, 'LIF'),
      'the root graph: field "type": must be NIRGraph, found "LIF"',
    ],
    ['without nodes', graphWith(() => undefined), 'the root graph: field "nodes": is missing'],
    ['without edges', graphWith((graph) => graph.create_group('nodes')), 'the root graph: field "edges": is missing'],
    [
      'with a dataset for nodes',
      graphWith((graph) => graph.create_dataset({ name: 'nodes', data: [1], shape: [1] })),
      'the root graph: field "nodes": must be a group, found a dataset',
    ],
    [
      'with a group for edges',
      graphWith((graph) => [graph.create_group('nodes'), graph.create_group('edges')]),
      'the root graph: field "edges": must be a dataset, found a group',
    ],
    [
      'with a group without a type',
      graphWith((graph) => graph.create_group('nodes').create_group('n')),
      'node "n": field "type": is missing',
    ],
    [
      'with a group for a version',
      writeHdf5((file) => file.create_group('version')),
      'the root graph: field "version": must be a dataset, found a group',
    ],
  ])('%s is refused', (_, bytes, message) => {
    expect(error(bytes)).toBe(message);
  });

  it('names a node of a nested graph after its graph', () => {
    const inner = chain(1, 1, { a: node('LIF', { ...lif(1), tau: -1 }) });
    expect(error(writeNir(chain(1, 1, { outer: inner })))).toBe(
      'node "outer/a": field "tau": must be > 0, found -1 at index 0',
    );
  });

  it('has defaults for what may be absent', () => {
    const { parameters, integers } = read(node('LIF', lif(2)));
    expect(parameters.get('v_reset')).toEqual({ shape: [], values: Float64Array.of(0) });
    expect([...integers.keys()]).toEqual([]);
    expect([...read(node('Flatten', { end_dim: dims(-32) })).integers]).toEqual([['end_dim', [-32]]]);
  });

  it('may have delays of 0 and times above it, however small', () => {
    expect(error(one(node('Delay', { delay: [0, 0.5] })))).toBe('no error');
    expect(error(one(node('LIF', { ...lif(1), tau: 1e-30 })))).toBe('no error');
    expect(error(one(node('LIF', { ...lif(1), tau: 0 })))).toContain('must be > 0, found 0 at index 0');
  });
});
