// The input window of a convolution or a pool: proto/NUMERICS.md, "Windows".
import type { FlatNode } from './flatten.ts';
import { MAX_NODE_ELEMENTS, MAX_WINDOW_ADDITIONS } from './limits.ts';
import { ModelError } from './model-error.ts';
import type { NirNode } from './nir-graph.ts';
import { SAME_PADDING, isConvolution } from './node-types.ts';

export type Shape = readonly number[];

/**
 * One direction. Output `o` takes, for each kernel index `k`, input `o * stride + k * dilation - before`, if it exists;
 * positions outside the input are padding.
 */
export interface Axis {
  readonly in: number;
  readonly out: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
}

/**
 * Tensors are [channels, rows, columns]; those of a Conv1d have one row. Groups of `groupIn` channels feed groups of
 * `groupOut`; in a pool, each channel is a group.
 */
export interface Window {
  readonly groups: number;
  readonly groupIn: number;
  readonly groupOut: number;
  readonly rows: Axis;
  readonly columns: Axis;
}

/** Distance from the first to the last element of one output, inclusive; at most the length of the padded input. */
const MAX_REACH = 4 * MAX_NODE_ELEMENTS;
const ONE_ROW: Axis = { in: 1, out: 1, kernel: 1, stride: 1, dilation: 1, before: 0 };

export function elementsOf(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Number of elements of one output, including padding. */
export function sourcesOfOutput({ groupIn, rows, columns }: Window): number {
  return groupIn * rows.kernel * columns.kernel;
}

/** The input shape that a convolution's parameters give. */
export function ownInputShape(node: NirNode): Shape | undefined {
  const shape = isConvolution(node.type) ? node.integers.get('input_shape') : undefined;
  if (shape === undefined) return undefined;
  return [node.parameters.get('weight')!.shape[1]! * node.integers.get('groups')![0]!, ...shape];
}

/** The window of a node over an input of this shape. Throws ModelError if it does not fit. */
export function windowOf(node: FlatNode, input: Shape): Window {
  const rank = node.type === 'Conv1d' ? 2 : 3;
  const extra = input.findIndex((length, axis) => length !== 1 || input.length - axis <= rank);
  const [channels, ...lengths] = input.slice(extra); // without a batch of one
  if (lengths.length + 1 !== rank) {
    const problem = `takes an input of ${rank} dimensions, channels first, found [${input.join(', ')}]; give the nodes before it their shape`;
    throw ModelError.field(node.name, 'edges', problem);
  }
  const { kernel, ...groups } = isConvolution(node.type)
    ? convolutionGroups(node, channels!)
    : { kernel: node.integers.get('kernel_size')!, groups: channels!, groupIn: 1, groupOut: 1 };
  const axes = kernel.map((length, axis) => makeAxis(node, axis, lengths[axis]!, length));
  const window = { ...groups, rows: axes.length === 1 ? ONE_ROW : axes[0]!, columns: axes.at(-1)! };
  const elements = elementsOf(outputShape(node, window));
  if (elements > MAX_NODE_ELEMENTS) {
    const field = isConvolution(node.type) ? 'weight' : 'kernel_size';
    throw ModelError.field(node.name, field, `gives ${elements} elements, over the limit of ${MAX_NODE_ELEMENTS}`);
  }
  const additions = elements * sourcesOfOutput(window);
  if (additions > MAX_WINDOW_ADDITIONS) {
    const problem = `may add up ${additions} numbers a step, over the limit of ${MAX_WINDOW_ADDITIONS}`;
    throw ModelError.field(node.name, isConvolution(node.type) ? 'weight' : 'kernel_size', problem);
  }
  return window;
}

/** Shape of the output; without rows for a Conv1d. */
export function outputShape({ type }: NirNode, { groups, groupOut, rows, columns }: Window): Shape {
  return type === 'Conv1d' ? [groups * groupOut, columns.out] : [groups * groupOut, rows.out, columns.out];
}

function convolutionGroups(node: FlatNode, channels: number) {
  const [out, groupIn, ...kernel] = node.parameters.get('weight')!.shape as [number, number, ...number[]];
  const groups = node.integers.get('groups')![0]!;
  if (out % groups !== 0) {
    const problem = `must divide the ${out} output channels of "weight", found ${groups}`;
    throw ModelError.field(node.name, 'groups', problem);
  }
  if (groupIn * groups !== channels) {
    const problem = `takes ${groupIn * groups} channels, but its input has ${channels}`;
    throw ModelError.field(node.name, 'weight', problem);
  }
  return { kernel, groups, groupIn, groupOut: out / groups };
}

function makeAxis(node: FlatNode, axis: number, length: number, kernel: number): Axis {
  const stride = node.integers.get('stride')![axis]!;
  const dilation = node.integers.get('dilation')?.[axis] ?? 1;
  const padding = node.integers.get('padding')![axis]!;
  const isSame = padding === SAME_PADDING;
  const reach = dilation * (kernel - 1) + 1;
  if (isSame && stride !== 1) {
    throw ModelError.field(node.name, 'padding', `"same" needs a stride of 1, found ${stride}`);
  }
  const before = isSame ? Math.floor((reach - 1) / 2) : padding;
  const padded = isSame ? length + reach - 1 : length + 2 * before;
  if (padded < reach) {
    const problem = `its window reaches over ${reach} elements where the padded input has ${padded}`;
    throw ModelError.field(node.name, isConvolution(node.type) ? 'weight' : 'kernel_size', problem);
  }
  const out = Math.floor((padded - reach) / stride) + 1;
  if (out > MAX_NODE_ELEMENTS || reach > MAX_REACH) {
    const problem = `gives an output of ${out} elements and a window of ${reach}, over the limits of ${MAX_NODE_ELEMENTS} and ${MAX_REACH}`;
    throw ModelError.field(node.name, out > MAX_NODE_ELEMENTS ? 'padding' : 'dilation', problem);
  }
  return { in: length, out, kernel, stride, dilation, before };
}
