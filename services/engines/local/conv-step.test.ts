// Convolutions against plain loops over their definition (proto/NUMERICS.md, "Windows"), bit for bit.
import { describe, expect, it } from '@jest/globals';
import { MeteredInterrupt } from '../../../test/fakes/metered-interrupt.ts';
import { Random } from '../../../test/fuzz/random.ts';
import { windowNode } from '../../../test/support/window-node.ts';
import { Arena, arenaBytes } from './arena.ts';
import { convArenaBytes, convStep } from './conv-step.ts';
import type { NetworkNode } from './network.ts';
import type { Evaluation, StepSource } from './step.ts';
import { elementsOf } from './window.ts';

const { fround } = Math;

interface Layer {
  readonly input: readonly number[];
  /** `[out, in / groups, kernel]`. */
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

const plain = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 };
const line = { stride: [1], padding: [0], dilation: [1], groups: 1 };
const LAYERS: readonly (readonly [string, Layer])[] = [
  ['one channel', { ...plain, input: [1, 4, 5], shape: [1, 1, 2, 3] }],
  ['many outputs', { ...plain, input: [2, 4, 3], shape: [9, 2, 2, 2] }],
  ['a stride', { ...plain, input: [2, 7, 8], shape: [3, 2, 2, 3], stride: [2, 3] }],
  ['a padding', { ...plain, input: [2, 4, 3], shape: [2, 2, 3, 3], padding: [1, 2] }],
  ['a dilation', { ...plain, input: [1, 7, 6], shape: [2, 1, 2, 3], dilation: [3, 2] }],
  ['groups', { ...plain, input: [6, 3, 4], shape: [10, 3, 2, 2], groups: 2 }],
  [
    'everything',
    { input: [4, 9, 8], shape: [6, 2, 3, 2], stride: [2, 3], padding: [2, 1], dilation: [3, 2], groups: 2 },
  ],
  ['a stride past its kernel', { ...plain, input: [1, 7, 7], shape: [2, 1, 1, 2], stride: [3, 4] }],
  ['one row', { ...line, input: [2, 9], shape: [5, 2, 3] }],
  [
    'one row with everything',
    { input: [4, 11], shape: [4, 2, 3], stride: [2], padding: [2], dilation: [3], groups: 2 },
  ],
];

interface Made {
  readonly layer: Layer;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly node: NetworkNode;
}

function make(layer: Layer, random: Random): Made {
  const numbers = (length: number) => Float32Array.from({ length }, () => random.between(-1, 1));
  const { input, shape, stride, padding, dilation, groups } = layer;
  const [weight, bias] = [numbers(elementsOf(shape)), numbers(shape[0]!)];
  const integers = { stride, padding, dilation, groups: [groups] };
  const type = shape.length === 3 ? 'Conv1d' : 'Conv2d';
  return { layer, weight, bias, node: windowNode(type, input, { integers, weight: { shape, values: weight }, bias }) };
}

/** The outputs, and the number of weights that were added for inputs that are not 0. */
function byTheBook({ layer, weight, bias }: Made, x: Float32Array): { y: number[]; added: number } {
  const two = (of: readonly number[], other: number) => (of.length === 1 ? [other, of[0]!] : [of[0]!, of[1]!]);
  const [rows, columns] = two(layer.input.slice(1), 1) as [number, number];
  const [kernelRows, kernelColumns] = two(layer.shape.slice(2), 1) as [number, number];
  const [stride, padding, dilation] = [two(layer.stride, 1), two(layer.padding, 0), two(layer.dilation, 1)];
  const outputs = [rows, columns].map((length, axis) => {
    const reach = dilation[axis]! * ([kernelRows, kernelColumns][axis]! - 1) + 1;
    return Math.floor((length + 2 * padding[axis]! - reach) / stride[axis]!) + 1;
  }) as [number, number];
  const [out, groupIn] = layer.shape as [number, number];
  const y: number[] = [];
  let added = 0;
  for (let channel = 0; channel < out; channel += 1) {
    const first = Math.floor(channel / (out / layer.groups)) * groupIn;
    for (let place = 0; place < outputs[0] * outputs[1]; place += 1) {
      const [outRow, outColumn] = [Math.floor(place / outputs[1]), place % outputs[1]];
      let sum = bias[channel]!;
      for (let k = 0; k < groupIn * kernelRows * kernelColumns; k += 1) {
        const [from, tap] = [Math.floor(k / (kernelRows * kernelColumns)), k % (kernelRows * kernelColumns)];
        const row = outRow * stride[0]! + Math.floor(tap / kernelColumns) * dilation[0]! - padding[0]!;
        const column = outColumn * stride[1]! + (tap % kernelColumns) * dilation[1]! - padding[1]!;
        if (row < 0 || row >= rows || column < 0 || column >= columns) continue;
        const value = x[((first + from) * rows + row) * columns + column]!;
        if (value === 0) continue;
        sum = fround(sum + fround(weight[channel * groupIn * kernelRows * kernelColumns + k]! * value));
        added += 1;
      }
      y.push(sum);
    }
  }
  return { y, added };
}

function stepOf({ node }: Made, source: StepSource) {
  const arena = new Arena(convArenaBytes(node) + arenaBytes(node.outputSize));
  const y = arena.floats(node.outputSize);
  const step = convStep(node, y, [source], arena);
  return (x: Float32Array) => {
    const interrupt = new MeteredInterrupt();
    const report: Evaluation = { finite: true, spikes: 0, synapticOperations: 0 };
    step(x, interrupt, report);
    return { y: [...y], added: report.synapticOperations, finite: report.finite, units: interrupt.work };
  };
}

describe.each(LAYERS)('a convolution with %s', (_, layer) => {
  const random = new Random(elementsOf(layer.shape));
  const made = make(layer, random);

  it('adds what its windows see, at every step anew', () => {
    const step = stepOf(made, { spikes: undefined, hasUnitSpikes: false });
    for (const share of [1, 0.5, 0.1]) {
      const x = Float32Array.from({ length: made.node.inputSize }, () =>
        random.between(0, 1) < share ? random.between(-2, 2) : 0,
      );
      const { y, added, finite } = step(x);
      expect({ y, added, finite }).toEqual({ ...byTheBook(made, x), finite: true });
    }
  });

  it('adds the weights of the sources that fired', () => {
    const { inputSize } = made.node;
    const spikes = { at: new Int32Array(inputSize), count: 0 };
    const step = stepOf(made, { spikes, hasUnitSpikes: true });
    for (const share of [1, 0.5, 0.1]) {
      const x = Float32Array.from({ length: inputSize }, () => (random.between(0, 1) < share ? 1 : 0));
      const fired = [...x.keys()].filter((k) => x[k] === 1);
      spikes.at.set(fired);
      spikes.count = fired.length;
      const { y, added } = step(new Float32Array(inputSize)); // the list tells, and not the values
      expect({ y, added }).toEqual(byTheBook(made, x));
    }
  });

  it('takes as much memory as it says', () => {
    const bytes = convArenaBytes(made.node);
    const arena = new Arena(bytes);
    const before = arena.ints(0).byteOffset;
    convStep(made.node, new Float32Array(made.node.outputSize), [], arena);
    expect(arena.ints(0).byteOffset - before).toBe(bytes);
  });

  it('counts its work, for interrupts', () => {
    const step = stepOf(made, { spikes: undefined, hasUnitSpikes: false });
    const { added, units } = step(new Float32Array(made.node.inputSize).fill(1));
    const { shape, groups } = layer;
    // Weights are added four at a time.
    const lanes = (4 * Math.ceil(shape[0]! / groups / 4)) / (shape[0]! / groups);
    expect(units).toBe(added * lanes);
  });
});

describe('a convolution', () => {
  const [, layer] = LAYERS[0]!;

  it('weighs spikes of other values than 1 by their values', () => {
    const made = make(layer, new Random(1));
    const x = new Float32Array(made.node.inputSize).fill(3);
    const at = Int32Array.from(x.keys());
    expect(stepOf(made, { spikes: { at, count: x.length }, hasUnitSpikes: false })(x).y).toEqual(byTheBook(made, x).y);
  });

  it('reports a sum that is not finite', () => {
    const step = stepOf(make(layer, new Random(1)), { spikes: undefined, hasUnitSpikes: false });
    const x = new Float32Array(elementsOf(layer.input));
    expect([step(x).finite, step(x.fill(3e38)).finite]).toEqual([true, false]);
  });
});
