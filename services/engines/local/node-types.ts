// The node types of proto/NUMERICS.md and what each carries in a file.
import { MAX_NODE_ELEMENTS } from './limits.ts';

/** `vector`: one element, or one for each element of the node. `integers`: whole numbers, such as sizes or strides. */
type FieldKind = 'weight' | 'vector' | 'integers';

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  /** Stands in where the file has no such dataset; undefined: the file must have one. */
  readonly absent?: number;
  /** Time constants must be > 0. */
  readonly positive?: boolean;
  readonly notNegative?: boolean;
}

/** A field of whole numbers from `min` to `max`. */
export interface IntegerField extends Field {
  readonly kind: 'integers';
  readonly min: number;
  readonly max: number;
  /** So many numbers, for all of which a file may give one; 0: dimensions, from 1 to MAX_RANK. */
  readonly count: number;
  readonly optional?: boolean;
  /** The text "same" or "valid" is allowed, too. */
  readonly maySame?: boolean;
}

export const MAX_RANK = 32;
/** In the place of a Conv's padding: as much as keeps the size. */
export const SAME_PADDING = -1;

const numbers = (name: string, min: number, max: number, count: number): IntegerField => {
  return { name, kind: 'integers', min, max, count };
};
/** No size that fits the limits is larger. */
const sizes = (name: string, count: number): IntegerField => numbers(name, 1, MAX_NODE_ELEMENTS, count);
const paddings = (count: number): IntegerField => numbers('padding', 0, MAX_NODE_ELEMENTS, count);
const shape = sizes('shape', 0);
const flatten = [
  { ...sizes('input_type', 0), optional: true },
  { ...numbers('start_dim', -MAX_RANK, MAX_RANK, 1), optional: true },
  { ...numbers('end_dim', -MAX_RANK, MAX_RANK, 1), optional: true },
];
const weight: Field = { name: 'weight', kind: 'weight' };
const vector = (name: string): Field => ({ name, kind: 'vector' });
const time = (name: string): Field => ({ name, kind: 'vector', positive: true });
const vReset: Field = { name: 'v_reset', kind: 'vector', absent: 0 };
const wIn: Field = { name: 'w_in', kind: 'vector', absent: 1 };
const convolution = (axes: number): readonly Field[] => [
  weight,
  vector('bias'),
  { ...sizes('input_shape', axes), optional: true },
  sizes('stride', axes),
  { ...paddings(axes), maySame: true },
  sizes('dilation', axes),
  sizes('groups', 1),
];
const pool = [sizes('kernel_size', 2), sizes('stride', 2), paddings(2)];
const synapse = [time('tau_syn'), time('tau_mem'), vector('r'), wIn, vector('v_leak')];

const NODE_TYPES = {
  Input: [shape],
  Output: [shape],
  Flatten: flatten,
  Linear: [weight],
  Affine: [weight, vector('bias')],
  Conv1d: convolution(1),
  Conv2d: convolution(2),
  SumPool2d: pool,
  AvgPool2d: pool,
  Delay: [{ ...vector('delay'), notNegative: true }],
  I: [vector('r')],
  Scale: [vector('scale')],
  Threshold: [vector('threshold')],
  LIF: [time('tau'), vector('r'), vector('v_leak'), vector('v_threshold'), vReset],
  LI: [time('tau'), vector('r'), vector('v_leak')],
  IF: [vector('r'), vector('v_threshold'), vReset],
  CubaLIF: [...synapse, vector('v_threshold'), vReset],
  CubaLI: synapse,
} as const satisfies Record<string, readonly Field[]>;

export type NodeType = keyof typeof NODE_TYPES;

export function isNodeType(text: string): text is NodeType {
  return Object.hasOwn(NODE_TYPES, text);
}

export function isIntegerField(field: Field): field is IntegerField {
  return field.kind === 'integers';
}

export function fieldsOf(type: NodeType): readonly Field[] {
  return NODE_TYPES[type];
}

/** Puts out its input as it is. */
export function isPassThrough(type: NodeType): boolean {
  return type === 'Input' || type === 'Output' || type === 'Flatten';
}

/** Linear, Affine. */
export function hasMatrix(type: NodeType): boolean {
  return type === 'Linear' || type === 'Affine';
}

export function isConvolution(type: NodeType): boolean {
  return type === 'Conv1d' || type === 'Conv2d';
}

/** What it puts out follows from the shape of its input. */
export function hasWindow(type: NodeType): boolean {
  return isConvolution(type) || type === 'SumPool2d' || type === 'AvgPool2d';
}

/** Dimensions of its `weight`; 0: it has none. */
export function rankOfWeight(type: NodeType): number {
  if (hasMatrix(type)) return 2;
  if (type === 'Conv1d') return 3;
  return type === 'Conv2d' ? 4 : 0;
}

/** Has a membrane potential. */
export type NeuronType = Extract<NodeType, 'LIF' | 'LI' | 'IF' | 'I' | 'CubaLIF' | 'CubaLI'>;

export function isStateful(type: NodeType): type is NeuronType {
  return type === 'LIF' || type === 'LI' || type === 'IF' || type === 'I' || type === 'CubaLIF' || type === 'CubaLI';
}

/** Its output may change while its input does not. */
export function canChange(type: NodeType): boolean {
  return isStateful(type) || type === 'Delay';
}

/** Puts out its potential. */
export function isIntegrator(type: NodeType): boolean {
  return isStateful(type) && !isSpiking(type);
}

/** A neuron whose ones are spikes. */
export function firesSpikes(type: NodeType): boolean {
  return isStateful(type) && isSpiking(type);
}

/** Puts out only 0 and 1. */
export function isSpiking(type: NodeType): boolean {
  return type === 'LIF' || type === 'IF' || type === 'CubaLIF' || type === 'Threshold';
}
