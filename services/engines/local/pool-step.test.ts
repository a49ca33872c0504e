// Pools against plain loops over their definition (proto/NUMERICS.md, "Windows"), bit for bit.
import { describe, expect, it } from '@jest/globals';
import { MeteredInterrupt } from '../../../test/fakes/metered-interrupt.ts';
import { Random } from '../../../test/fuzz/random.ts';
import { windowNode } from '../../../test/support/window-node.ts';
import { poolStep } from './pool-step.ts';
import type { Evaluation } from './step.ts';
import { elementsOf } from './window.ts';

const { fround } = Math;
type Pair = readonly [number, number];

interface Layer {
  readonly input: readonly [number, number, number];
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
}

const LAYERS: readonly (readonly [string, Layer])[] = [
  ['windows side by side', { input: [2, 6, 4], kernel: [3, 2], stride: [3, 2], padding: [0, 0] }],
  ['windows that overlap', { input: [3, 5, 6], kernel: [2, 3], stride: [1, 2], padding: [0, 0] }],
  ['windows with gaps', { input: [2, 8, 9], kernel: [2, 1], stride: [3, 4], padding: [0, 0] }],
  ['a padding', { input: [2, 5, 4], kernel: [3, 2], stride: [2, 1], padding: [1, 2] }],
  ['a padding wider than the input', { input: [1, 2, 3], kernel: [4, 5], stride: [1, 2], padding: [3, 4] }],
  ['a window over all of the padded input', { input: [2, 3, 2], kernel: [5, 6], stride: [1, 1], padding: [1, 2] }],
];

/** The sums, divided by `divisor`, and the number of elements of all windows that lie in the input. */
function byTheBook({ input, kernel, stride, padding }: Layer, x: Float32Array, divisor: number) {
  const [channels, rows, columns] = input;
  const lengths = [rows, columns].map((length, axis) => {
    return Math.floor((length + 2 * padding[axis]! - kernel[axis]!) / stride[axis]!) + 1;
  });
  const y: number[] = [];
  let added = 0;
  for (let n = 0; n < channels * lengths[0]! * lengths[1]!; n += 1) {
    const outColumn = n % lengths[1]!;
    const outRow = Math.floor(n / lengths[1]!) % lengths[0]!;
    const channel = Math.floor(n / (lengths[0]! * lengths[1]!));
    let sum = 0;
    for (let k = 0; k < kernel[0] * kernel[1]; k += 1) {
      const row = outRow * stride[0] + Math.floor(k / kernel[1]) - padding[0];
      const column = outColumn * stride[1] + (k % kernel[1]) - padding[1];
      if (row < 0 || row >= rows || column < 0 || column >= columns) continue;
      sum = fround(sum + x[(channel * rows + row) * columns + column]!);
      added += 1;
    }
    y.push(fround(sum / divisor));
  }
  return { y, added };
}

function make(type: 'SumPool2d' | 'AvgPool2d', { input, kernel, stride, padding }: Layer) {
  const node = windowNode(type, input, { integers: { kernel_size: kernel, stride, padding } });
  const y = new Float32Array(node.outputSize);
  const step = poolStep(node, y);
  return {
    y,
    run: (x: Float32Array) => {
      const interrupt = new MeteredInterrupt();
      const report: Evaluation = { finite: true, spikes: 0, synapticOperations: 0 };
      step(x, interrupt, report);
      return { finite: report.finite, operations: report.synapticOperations, units: interrupt.work };
    },
  };
}

const random = new Random(1);
const numbers = (length: number) => Float32Array.from({ length }, () => random.between(-1, 1));

describe.each(LAYERS)('a pool with %s', (_, layer) => {
  it.each(['SumPool2d', 'AvgPool2d'] as const)('adds up or averages each window, at every step anew (%s)', (type) => {
    const { y, run } = make(type, layer);
    const divisor = type === 'SumPool2d' ? 1 : layer.kernel[0] * layer.kernel[1];
    for (let step = 0; step < 2; step += 1) {
      const x = numbers(elementsOf(layer.input));
      expect(run(x)).toMatchObject({ finite: true, operations: 0 });
      expect([...y]).toEqual(byTheBook(layer, x, divisor).y);
    }
  });

  it('counts its work, for interrupts', () => {
    const x = numbers(elementsOf(layer.input));
    const { y, run } = make('SumPool2d', layer);
    const { units } = run(x);
    expect(units).toBeGreaterThanOrEqual(byTheBook(layer, x, 1).added);
    expect(units).toBeLessThanOrEqual(y.length * layer.kernel[0] * layer.kernel[1]);
  });
});

describe('a pool', () => {
  const layer: Layer = { input: [1, 3, 3], kernel: [3, 3], stride: [1, 1], padding: [1, 1] };

  it('may be its own source, one step late', () => {
    const { y, run } = make('SumPool2d', layer);
    const x = numbers(9);
    y.set(x);
    run(y);
    expect([...y]).toEqual(byTheBook(layer, x, 1).y);
  });

  it('reports a sum that is not finite', () => {
    const { run } = make('SumPool2d', layer);
    expect([run(numbers(9)).finite, run(new Float32Array(9).fill(3e38)).finite]).toEqual([true, false]);
  });
});
