// The window that follows from a node's fields and its input (proto/NUMERICS.md, "Windows").
import { describe, expect, it } from '@jest/globals';
import { flatNode } from '../../../test/support/flat-graph.ts';
import type { NodeType } from './node-types.ts';
import { type Window, elementsOf, outputShape, ownInputShape, sourcesOfOutput, windowOf } from './window.ts';

type Integers = Readonly<Record<string, readonly number[]>>;

const SAME = [-1, -1];
const plain = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: [1] };
const line = { stride: [1], padding: [0], dilation: [1], groups: [1] };
const LIMIT = 1_048_576;

const conv = (weight: readonly number[], integers: Integers = {}) => {
  const [type, defaults] = weight.length === 3 ? (['Conv1d', line] as const) : (['Conv2d', plain] as const);
  return flatNode({ type, shapes: { weight }, integers: { ...defaults, ...integers } });
};
const pool = (kernel: readonly number[], integers: Integers = {}, type: NodeType = 'SumPool2d') => {
  return flatNode({ type, integers: { kernel_size: kernel, stride: [1, 1], padding: [0, 0], ...integers } });
};

const axis = (length: number, out: number, kernel: number, stride = 1, dilation = 1, before = 0) => {
  return { in: length, out, kernel, stride, dilation, before };
};

describe('windowOf', () => {
  it.each<[string, Parameters<typeof windowOf>, Window]>([
    [
      'a convolution',
      [conv([6, 2, 3, 2]), [2, 5, 4]],
      { groups: 1, groupIn: 2, groupOut: 6, rows: axis(5, 3, 3), columns: axis(4, 3, 2) },
    ],
    [
      'groups',
      [conv([6, 2, 1, 1], { groups: [3] }), [6, 1, 2]],
      { groups: 3, groupIn: 2, groupOut: 2, rows: axis(1, 1, 1), columns: axis(2, 2, 1) },
    ],
    [
      'strides and paddings',
      [conv([1, 1, 2, 3], { stride: [2, 3], padding: [1, 2] }), [1, 6, 7]],
      { groups: 1, groupIn: 1, groupOut: 1, rows: axis(6, 4, 2, 2, 1, 1), columns: axis(7, 3, 3, 3, 1, 2) },
    ],
    [
      'dilations',
      [conv([1, 1, 2, 3], { dilation: [4, 2] }), [1, 5, 6]],
      { groups: 1, groupIn: 1, groupOut: 1, rows: axis(5, 1, 2, 1, 4), columns: axis(6, 2, 3, 1, 2) },
    ],
    [
      'padding "same", with less before than behind an even kernel',
      [conv([1, 1, 3, 4], { padding: SAME, dilation: [2, 1] }), [1, 5, 6]],
      { groups: 1, groupIn: 1, groupOut: 1, rows: axis(5, 5, 3, 1, 2, 2), columns: axis(6, 6, 4, 1, 1, 1) },
    ],
    [
      'one row',
      [conv([3, 2, 3], { stride: [2] }), [2, 7]],
      { groups: 1, groupIn: 2, groupOut: 3, rows: axis(1, 1, 1), columns: axis(7, 3, 3, 2) },
    ],
    [
      'a pool',
      [pool([2, 3], { stride: [2, 1], padding: [0, 1] }), [5, 4, 3]],
      { groups: 5, groupIn: 1, groupOut: 1, rows: axis(4, 2, 2, 2), columns: axis(3, 3, 3, 1, 1, 1) },
    ],
  ])('takes %s from the fields', (_, [node, input], expected) => {
    expect(windowOf(node, input)).toEqual(expected);
  });

  it('ignores a batch of one, of any number of dimensions', () => {
    for (const input of [
      [2, 7],
      [1, 2, 7],
      [1, 1, 1, 2, 7],
    ])
      expect(windowOf(conv([3, 2, 3]), input)).toEqual(windowOf(conv([3, 2, 3]), [2, 7]));
    expect(windowOf(conv([1, 1, 1, 1]), [1, 1, 1, 1])).toEqual(windowOf(conv([1, 1, 1, 1]), [1, 1, 1]));
    expect(windowOf(conv([1, 1, 1]), [1, 1])).toMatchObject({ groupIn: 1, columns: { in: 1 } });
  });

  it.each<[string, Parameters<typeof windowOf>, string]>([
    [
      'too few dimensions',
      [pool([2, 2]), [4, 4]],
      'field "edges": takes an input of 3 dimensions, channels first, found [4, 4]',
    ],
    ['too many', [pool([2, 2]), [2, 1, 4, 4]], 'field "edges": takes an input of 3 dimensions'],
    ['too few in one row', [conv([1, 1, 1]), [4]], 'field "edges": takes an input of 2 dimensions'],
    ['too many in one row', [conv([1, 1, 1]), [2, 4, 4]], 'field "edges": takes an input of 2 dimensions'],
    [
      'groups that do not divide its outputs',
      [conv([5, 1, 1], { groups: [2] }), [2, 4]],
      'field "groups": must divide the 5',
    ],
    [
      'other channels',
      [conv([4, 2, 1], { groups: [2] }), [2, 4]],
      'field "weight": takes 4 channels, but its input has 2',
    ],
    [
      '"same" with a stride',
      [conv([1, 1, 3], { padding: [-1], stride: [2] }), [1, 4]],
      'field "padding": "same" needs a stride of 1',
    ],
    [
      'a kernel that is too large',
      [conv([1, 1, 5]), [1, 4]],
      'field "weight": its window reaches over 5 elements where the padded input has 4',
    ],
    [
      'a pool that is too large',
      [pool([2, 7], { padding: [0, 1] }), [1, 4, 4]],
      'field "kernel_size": its window reaches over 7 elements where',
    ],
  ])('refuses %s', (_, [node, input], message) => {
    expect(() => windowOf(node, input)).toThrow(`node "n": ${message}`);
  });

  it('accepts a kernel as large as the padded input', () => {
    expect(windowOf(pool([4, 6], { padding: [0, 1] }), [1, 4, 4])).toMatchObject({
      rows: { out: 1 },
      columns: { out: 1 },
    });
    expect(windowOf(conv([1, 1, 3], { dilation: [2], padding: [-1] }), [1, 1])).toMatchObject({ columns: { out: 1 } });
  });
});

describe('limits of a window', () => {
  const reach = 4 * LIMIT;
  it.each<[string, string, (more: number) => Parameters<typeof windowOf>]>([
    ['outputs of a direction', 'field "padding"', (more) => [conv([1, 1, 2], { padding: [LIMIT / 2] }), [1, 1 + more]]],
    // 4 = 1 + the dilation times 3
    [
      'the reach',
      'field "dilation"',
      (more) => [conv([1, 1, 4], { padding: [-1], dilation: [(reach - 1) / 3 + more] }), [1, 1]],
    ],
    ['outputs of a pool', 'field "kernel_size"', (more) => [pool([1, 1]), [1024 + more, 32, 32]]],
    ['outputs of a convolution', 'field "weight"', (more) => [conv([1024 + more, 1, 1, 1]), [1, 32, 32]]],
    [
      'additions of a pool',
      'field "kernel_size"',
      (more) => [pool([64, 64 + 2 * more], { padding: [31, 31 + more] }), [1, 1025, 1025]],
    ],
    [
      'additions of a convolution',
      'field "weight"',
      (more) => [conv([1, 1, 64, 64 + 2 * more], { padding: [31, 31 + more] }), [1, 1025, 1025]],
    ],
  ])('bound the %s', (_, field, at) => {
    expect(() => windowOf(...at(0))).not.toThrow();
    expect(() => windowOf(...at(1))).toThrow(field);
  });
});

describe('shapes', () => {
  const window = windowOf(conv([6, 2, 3, 2], { groups: [2] }), [4, 5, 4]);

  it('of a window', () => {
    expect(outputShape(conv([6, 2, 3, 2]), window)).toEqual([6, 3, 3]);
    expect(outputShape(conv([6, 2, 3]), window)).toEqual([6, 3]);
    expect(outputShape(pool([1, 1]), window)).toEqual([6, 3, 3]);
    expect(sourcesOfOutput(window)).toBe(2 * 3 * 2);
  });

  it('of the input come from the fields of a convolution, if they have them', () => {
    expect(ownInputShape(conv([6, 2, 3, 2], { groups: [3], input_shape: [8, 9] }))).toEqual([6, 8, 9]);
    expect(ownInputShape(conv([6, 2, 3, 2]))).toBeUndefined();
    expect(ownInputShape(pool([1, 1], { input_shape: [8, 9] }))).toBeUndefined();
  });

  it('have the product of their lengths as elements', () => {
    expect([elementsOf([]), elementsOf([7]), elementsOf([2, 3, 4])]).toEqual([1, 7, 24]);
  });
});
