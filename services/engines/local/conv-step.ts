// Evaluates a convolution one active source at a time, so that each output adds its sources in ascending order. Sums
// are stored with channels last, so the contribution of a source through a tap is contiguous.
import type { Arena } from './arena.ts';
import { arenaBytes } from './arena.ts';
import type { TapParameters } from './conv-kernels.ts';
import * as kernels from './kernels.ts';
import type { NetworkNode } from './network.ts';
import { countOf, unpackWeights } from './packed-weights.ts';
import type { Step, StepSource } from './step.ts';
import { tapsOf } from './taps.ts';
import type { Window } from './window.ts';

/** Arena memory of `convStep`. */
export function convArenaBytes({ inputSize, window }: Pick<NetworkNode, 'inputSize' | 'window'>): number {
  const { groups, groupIn, groupOut, rows, columns } = window!;
  const stride = arenaBytes(groupOut);
  const sums = groups * rows.out * columns.out;
  const taps = groups * groupIn * rows.kernel * columns.kernel;
  return (sums + taps) * stride + 2 * arenaBytes(inputSize);
}

export function convStep(node: NetworkNode, y: Float32Array, inputs: readonly StepSource[], arena: Arena): Step {
  const window = node.window!;
  const { groupIn, rows, columns } = window;
  const stride = arenaBytes(window.groupOut);
  const [rowTaps, columnTaps] = [tapsOf(rows), tapsOf(columns)];
  const inPlane = rows.in * columns.in;
  const outPlane = rows.out * columns.out;
  const kernel = rows.kernel * columns.kernel;
  const bias = node.constants.bias!;
  const weight = paddedTaps(node, arena);
  const sums = arena.floats((window.groups * outPlane * stride) / 4);
  const at = arena.ints(node.inputSize);
  const values = arena.floats(node.inputSize);
  const parameters: TapParameters = [
    ...([0, 0, stride, 0, 0] as const),
    -rowTaps.outStep * columns.out * stride,
    -columnTaps.outStep * stride,
    rowTaps.kernelStep * columns.kernel * stride,
    columnTaps.kernelStep * stride,
  ];
  /** Sets the parameters for one source; returns its number of taps. */
  const aim = (source: number): number => {
    const channel = Math.floor(source / inPlane);
    const index = source - channel * inPlane;
    const row = Math.floor(index / columns.in);
    const column = index - row * columns.in;
    const [rowCount, columnCount] = [rowTaps.count[row]!, columnTaps.count[column]!];
    const out = rowTaps.out[row]! * columns.out + columnTaps.out[column]!;
    const tap = rowTaps.kernel[row]! * columns.kernel + columnTaps.kernel[column]!;
    parameters[0] = sums.byteOffset + (Math.floor(channel / groupIn) * outPlane + out) * stride;
    parameters[1] = weight + (channel * kernel + tap) * stride;
    parameters[3] = rowCount;
    parameters[4] = columnCount;
    return rowCount * columnCount;
  };
  return (x, interrupt, report) => {
    const spikes = inputs.length === 1 && inputs[0]!.hasUnitSpikes ? inputs[0]!.spikes : undefined;
    const count = spikes === undefined ? kernels.gather(x, at, values) : spikes.count;
    const list = spikes === undefined ? at : spikes.at;
    startSums(window, bias, sums);
    for (let n = 0; n < count; n += 1) {
      const taps = aim(list[n]!);
      if (taps === 0) continue;
      if (spikes !== undefined) arena.conv.tapsSpikes(...parameters);
      else arena.conv.tapsWeighted(...parameters, values.byteOffset + 4 * n);
      report.synapticOperations += taps * window.groupOut;
      interrupt.spend((taps * stride) / 4);
    }
    finishSums(window, sums, y);
    report.finite = kernels.isFinite32(y);
  };
}

function startSums({ groups, groupOut, rows, columns }: Window, bias: Float32Array, sums: Float32Array): void {
  const stride = arenaBytes(groupOut) / 4;
  const plane = rows.out * columns.out;
  for (let group = 0; group < groups; group += 1) {
    const first = group * groupOut;
    for (let at = group * plane * stride, end = at + plane * stride; at < end; at += stride) {
      for (let k = 0; k < groupOut; k += 1) sums[at + k] = bias[first + k]!;
    }
  }
}

/** Transposes the result to channels first. */
function finishSums({ groups, groupOut, rows, columns }: Window, sums: Float32Array, y: Float32Array): void {
  const stride = arenaBytes(groupOut) / 4;
  const plane = rows.out * columns.out;
  for (let channel = 0; channel < groups * groupOut; channel += 1) {
    const lane = channel % groupOut;
    const from = ((channel - lane) / groupOut) * plane * stride + lane;
    const to = channel * plane;
    for (let at = 0; at < plane; at += 1) y[to + at] = sums[from + at * stride]!;
  }
}

/** Address of a copy of the weights in which each tap's weights fill whole vectors, padded with zeros. */
function paddedTaps({ constants, window }: NetworkNode, arena: Arena): number {
  const { groupOut } = window!;
  const stride = arenaBytes(groupOut) / 4;
  const taps = countOf(constants.weight!) / groupOut;
  const padded = arena.floats(stride * taps);
  for (let tap = 0; tap < taps; tap += 1) {
    unpackWeights(constants.weight!, tap * groupOut, (tap + 1) * groupOut, padded, tap * stride);
  }
  return padded.byteOffset;
}
