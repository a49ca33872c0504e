// What a node's own parameters say of its sizes, before its neighbours are asked.
import { MAX_NODE_ELEMENTS } from './limits.ts';
import type { FlatNode } from './flatten.ts';
import { ModelError } from './model-error.ts';
import { hasMatrix, hasWindow, isConvolution, isPassThrough } from './node-types.ts';
import type { Shape } from './window.ts';
import { elementsOf } from './window.ts';

export interface OwnSize {
  /** 0: not known. */
  readonly input: number;
  readonly output: number;
  /** Of its output. One dimension tells no more than the number of elements, and is no shape. */
  readonly shape: Shape | undefined;
  /** Its sources have no say in the shape. */
  readonly isFinal: boolean;
}

const UNKNOWN: OwnSize = { input: 0, output: 0, shape: undefined, isFinal: false };

/** Throws ModelError where parameters contradict each other or exceed the limit. Of a window it knows nothing. */
export function ownSize(node: FlatNode): OwnSize {
  if (isPassThrough(node.type)) return ofShape(node);
  if (hasMatrix(node.type)) {
    const [output, input] = node.parameters.get('weight')!.shape as [number, number];
    checkLimit(node, 'weight', Math.max(output, input));
    checkBias(node, output);
    return { input, output, shape: undefined, isFinal: true };
  }
  if (!hasWindow(node.type)) return ofElements(node);
  if (isConvolution(node.type)) checkBias(node, node.parameters.get('weight')!.shape[0]!);
  return UNKNOWN;
}

/** The shape of a Flatten's output, of its input's. */
export function flattened({ integers }: FlatNode, input: Shape): Shape | undefined {
  const dimension = (field: string, otherwise: number): number => {
    const value = integers.get(field)?.[0] ?? otherwise;
    return value < 0 ? value + input.length : value;
  };
  const [start, end] = [dimension('start_dim', 1), dimension('end_dim', -1)];
  if (start < 0 || start > end || end >= input.length) return undefined;
  return withoutRow([...input.slice(0, start), elementsOf(input.slice(start, end + 1)), ...input.slice(end + 1)]);
}

function ofShape(node: FlatNode): OwnSize {
  const isFlatten = node.type === 'Flatten';
  const field = isFlatten ? 'input_type' : 'shape';
  const given = node.integers.get(field);
  if (given === undefined) return UNKNOWN;
  const elements = elementsOf(given);
  checkLimit(node, field, elements);
  const shape = isFlatten ? flattened(node, given) : withoutRow(given);
  return { input: elements, output: elements, shape, isFinal: isFlatten || shape !== undefined };
}

/** One value for all, or one for each element. */
function ofElements(node: FlatNode): OwnSize {
  const tensors = [...node.parameters].filter(([, { values }]) => values.length > 1);
  const first = tensors[0];
  if (first === undefined) return UNKNOWN;
  const [from, { values, shape }] = first;
  const size = values.length;
  for (const [field, other] of tensors) {
    if (other.values.length === size) continue;
    throw ModelError.field(node.name, field, `has ${other.values.length} elements, but "${from}" gives ${size}`);
  }
  checkLimit(node, from, size);
  const isOne = tensors.every(([, other]) => sameShape(other.shape, shape));
  const own = isOne ? withoutRow(shape) : undefined;
  return { input: size, output: size, shape: own, isFinal: own !== undefined };
}

function checkBias(node: FlatNode, rows: number): void {
  const bias = node.parameters.get('bias');
  if (bias === undefined || bias.values.length === 1 || bias.values.length === rows) return;
  throw ModelError.field(node.name, 'bias', `has ${bias.values.length} elements, but "weight" gives ${rows}`);
}

function checkLimit(node: FlatNode, field: string, elements: number): void {
  if (elements <= MAX_NODE_ELEMENTS) return;
  throw ModelError.field(node.name, field, `gives ${elements} elements, over the limit of ${MAX_NODE_ELEMENTS}`);
}

function withoutRow(shape: Shape): Shape | undefined {
  return shape.length > 1 ? shape : undefined;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}
