import { describe, expect, it } from '@jest/globals';
import { type FlatFields, flatNode } from '../../../test/support/flat-graph.ts';
import { type OwnSize, flattened, ownSize } from './own-size.ts';

const unknown: OwnSize = { input: 0, output: 0, shape: undefined, isFinal: false };
const LIMIT = 1_048_576;
const weight = [3, 1, 2, 2];

describe('ownSize', () => {
  it.each<[string, FlatFields, OwnSize]>([
    [
      'an Input with several dimensions',
      { type: 'Input', integers: { shape: [2, 3] } },
      { input: 6, output: 6, shape: [2, 3], isFinal: true },
    ],
    [
      'an Output with one, which is no shape',
      { type: 'Output', integers: { shape: [6] } },
      { input: 6, output: 6, shape: undefined, isFinal: false },
    ],
    ['a Flatten without an input_type', { type: 'Flatten' }, unknown],
    [
      'a Flatten, which keeps its first dimension',
      { type: 'Flatten', integers: { input_type: [2, 3, 4] } },
      { input: 24, output: 24, shape: [2, 12], isFinal: true },
    ],
    [
      'a Flatten to one dimension',
      { type: 'Flatten', integers: { input_type: [2, 3], start_dim: [0] } },
      { input: 6, output: 6, shape: undefined, isFinal: true },
    ],
    [
      'a Linear node',
      { type: 'Linear', shapes: { weight: [2, 3] } },
      { input: 3, output: 2, shape: undefined, isFinal: true },
    ],
    [
      'an Affine node with one bias for all',
      { type: 'Affine', shapes: { weight: [2, 3], bias: [1] } },
      { input: 3, output: 2, shape: undefined, isFinal: true },
    ],
    ['a pool', { type: 'SumPool2d', integers: { kernel_size: [2, 2] } }, unknown],
    ['a convolution', { type: 'Conv2d', shapes: { weight, bias: [3] } }, unknown],
    ['a neuron with one value for all elements', { type: 'LI', shapes: { tau: [], r: [1], v_leak: [] } }, unknown],
    [
      'a neuron with a value for each element in a row',
      { type: 'LI', shapes: { tau: [], r: [4], v_leak: [4] } },
      { input: 4, output: 4, shape: undefined, isFinal: false },
    ],
    [
      'a neuron whose values have a shape',
      { type: 'LI', shapes: { tau: [2, 2], r: [], v_leak: [2, 2] } },
      { input: 4, output: 4, shape: [2, 2], isFinal: true },
    ],
    [
      'a neuron whose values have different shapes',
      { type: 'LI', shapes: { tau: [2, 2], r: [4], v_leak: [] } },
      { input: 4, output: 4, shape: undefined, isFinal: false },
    ],
    [
      'a neuron whose values are turned over',
      { type: 'LI', shapes: { tau: [2, 3], r: [3, 2], v_leak: [] } },
      { input: 6, output: 6, shape: undefined, isFinal: false },
    ],
  ])('knows the size of %s', (_, fields, expected) => {
    expect(ownSize(flatNode(fields))).toEqual(expected);
  });

  it.each<[string, FlatFields]>([
    ['a bias of another length', { type: 'Affine', shapes: { weight: [2, 3], bias: [3] } }],
    ['a bias of a convolution of another length', { type: 'Conv2d', shapes: { weight, bias: [2] } }],
  ])('refuses %s', (_, fields) => {
    expect(() => ownSize(flatNode(fields))).toThrow(/^node "n": field "bias": has [23] elements, but "weight" gives/);
  });

  it('refuses parameters of different lengths', () => {
    expect(() => ownSize(flatNode({ type: 'LI', shapes: { tau: [2], r: [1], v_leak: [3] } }))).toThrow(
      'node "n": field "v_leak": has 3 elements, but "tau" gives 2',
    );
  });

  it.each<[string, string, (size: number) => FlatFields]>([
    ['inputs', 'shape', (size) => ({ type: 'Input', integers: { shape: [size] } })],
    ['elements to flatten', 'input_type', (size) => ({ type: 'Flatten', integers: { input_type: [size, 1] } })],
    ['inputs of a matrix', 'weight', (size) => ({ type: 'Linear', shapes: { weight: [1, size] } })],
    ['outputs of a matrix', 'weight', (size) => ({ type: 'Linear', shapes: { weight: [size, 1] } })],
    ['neurons', 'r', (size) => ({ type: 'I', shapes: { r: [size] } })],
  ])('limits the number of %s', (_, field, fields) => {
    expect(() => ownSize(flatNode(fields(LIMIT)))).not.toThrow();
    expect(() => ownSize(flatNode(fields(LIMIT + 1)))).toThrow(
      `node "n": field "${field}": gives 1048577 elements, over the limit of 1048576`,
    );
  });
});

describe('flattened', () => {
  it.each<[string, Record<string, number>, number[] | undefined]>([
    ['all but the first dimension', {}, [2, 60]],
    ['from the first on', { start_dim: 0 }, undefined],
    ['the last two', { start_dim: 2 }, [2, 3, 20]],
    ['the first two', { start_dim: 0, end_dim: 1 }, [6, 4, 5]],
    ['those between, counted from the end', { start_dim: -3, end_dim: -2 }, [2, 12, 5]],
    ['none', { start_dim: 1, end_dim: 1 }, [2, 3, 4, 5]],
    ['the last only', { start_dim: 3, end_dim: 3 }, [2, 3, 4, 5]],
    ['none, since it starts behind its end', { start_dim: 2, end_dim: 1 }, undefined],
    ['none, since it ends behind the last', { end_dim: 4 }, undefined],
    ['none, since it starts before the first', { start_dim: -5 }, undefined],
    ['from the first on, counted from the end', { start_dim: -4, end_dim: 0 }, [2, 3, 4, 5]],
  ])('joins %s', (_, dimensions, expected) => {
    const integers = Object.fromEntries(Object.entries(dimensions).map(([field, value]) => [field, [value]]));
    expect(flattened(flatNode({ type: 'Flatten', integers }), [2, 3, 4, 5])).toEqual(expected);
  });
});
