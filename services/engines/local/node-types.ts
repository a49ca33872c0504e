// The node types of proto/NUMERICS.md and what each carries in a file.

/** `vector`: one element, or one for each element of the node. `shape`: dimensions, whose product is the node's size. */
export type FieldKind = 'weight' | 'vector' | 'shape';

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  /** Stands in where the file has no such dataset; undefined: the file must have one. */
  readonly absent?: number;
  /** Time constants must be > 0. */
  readonly positive?: boolean;
}

const shape: Field = { name: 'shape', kind: 'shape' };
const weight: Field = { name: 'weight', kind: 'weight' };
const vector = (name: string): Field => ({ name, kind: 'vector' });
const time = (name: string): Field => ({ name, kind: 'vector', positive: true });
const vReset: Field = { name: 'v_reset', kind: 'vector', absent: 0 };
const wIn: Field = { name: 'w_in', kind: 'vector', absent: 1 };
const synapse = [time('tau_syn'), time('tau_mem'), vector('r'), wIn, vector('v_leak')];

export const NODE_TYPES = {
  Input: [shape],
  Output: [shape],
  Flatten: [{ name: 'input_type', kind: 'shape' }],
  Linear: [weight],
  Affine: [weight, vector('bias')],
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

export function fieldsOf(type: NodeType): readonly Field[] {
  return NODE_TYPES[type];
}

/** Puts out its input as it is. */
export function isPassThrough(type: NodeType): boolean {
  return type === 'Input' || type === 'Output' || type === 'Flatten';
}

/** Holds a state, and so can never be constant. */
export function isStateful(type: NodeType): boolean {
  return type === 'LIF' || type === 'LI' || type === 'IF' || type === 'CubaLIF' || type === 'CubaLI';
}

/** A neuron whose ones are spikes. */
export function firesSpikes(type: NodeType): boolean {
  return isStateful(type) && isSpiking(type);
}

/** Puts out only 0 and 1. */
export function isSpiking(type: NodeType): boolean {
  return type === 'LIF' || type === 'IF' || type === 'CubaLIF' || type === 'Threshold';
}
