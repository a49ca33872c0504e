// Sums and means over windows, separately for each channel: proto/NUMERICS.md, "Windows".
import * as kernels from './kernels.ts';
import type { NetworkNode } from './network.ts';
import type { Step } from './step.ts';
import type { Axis } from './window.ts';

/** Outputs from `begin` to `end` whose element at kernel index `k` is inside the input. */
function outputsWith({ in: size, out, stride, before }: Axis, k: number): readonly [begin: number, end: number] {
  const begin = Math.max(0, Math.ceil((before - k) / stride));
  const end = Math.min(out, Math.ceil((size + before - k) / stride));
  return [begin, end];
}

export function poolStep({ type, window }: NetworkNode, y: Float32Array): Step {
  const { groups, rows, columns } = window!;
  const inPlane = rows.in * columns.in;
  const outPlane = rows.out * columns.out;
  const divisor = Math.fround(rows.kernel * columns.kernel);
  const columnRanges = Array.from({ length: columns.kernel }, (_, k) => outputsWith(columns, k));

  const addRow = (x: Float32Array, from: number, to: number): void => {
    for (let k = 0; k < columns.kernel; k += 1) {
      const [begin, end] = columnRanges[k]!;
      const first = from + k - columns.before;
      for (let column = begin; column < end; column += 1) {
        y[to + column] = y[to + column]! + x[first + column * columns.stride]!;
      }
    }
  };

  return (input, interrupt, report) => {
    // A node may be its own source, one step late.
    const x = input === y ? input.slice() : input;
    y.fill(0);
    for (let channel = 0; channel < groups; channel += 1) {
      for (let k = 0; k < rows.kernel; k += 1) {
        const [begin, end] = outputsWith(rows, k);
        for (let row = begin; row < end; row += 1) {
          const from = channel * inPlane + (row * rows.stride + k - rows.before) * columns.in;
          addRow(x, from, channel * outPlane + row * columns.out);
          interrupt.spend(columns.kernel * columns.out);
        }
      }
    }
    if (type === 'AvgPool2d') for (let k = 0; k < y.length; k += 1) y[k] = y[k]! / divisor;
    report.finite = kernels.isFinite32(y);
  };
}
