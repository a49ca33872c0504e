// A step of the neurons of one node, four at a time: proto/NUMERICS.md, "A step", line by line.
//
// All parameters are addresses in bytes of arrays that fill whole vectors of 16 bytes; fields that a kind of neuron
// lacks are never touched. `from` and `to` bound the elements, as byte offsets into the arrays. Elements that fire are
// listed at `spikes`, behind `count` others. The answer is the list's new length, or -1 where some `i` or `v`, before or
// after its reset, is not finite: `value - value` is 0 for every finite value and NaN for all others.
import type { Code, WasmFunction } from './wasm-code.ts';
import {
  add,
  and,
  below,
  choose,
  get,
  int,
  loopWhile,
  set,
  shiftLeft,
  shiftRight,
  storeInt,
  vector,
  when,
} from './wasm-code.ts';

const FIELDS = [
  ...(['v', 'i', 'y', 'x', 'gain', 'leak', 'resistance', 'synapse', 'inputWeight'] as const),
  ...(['threshold', 'reset', 'spikes'] as const),
];

export type NeuronField = (typeof FIELDS)[number];
export const NEURON_FIELDS: readonly NeuronField[] = FIELDS;

const NEURONS = ['LIF', 'LI', 'IF', 'I', 'CubaLIF', 'CubaLI'] as const;
export type NeuronType = (typeof NEURONS)[number];

/** Addresses of NEURON_FIELDS, then `from`, `to`, `count`. */
export type NeuronKernel = (...parameters: number[]) => number;
export type NeuronKernels = Readonly<Record<string, NeuronKernel>>;

/** Name of the kernel for a type of neuron and a kind of reset. */
export function neuronKernelName(type: string, subtract: boolean): string {
  return subtract ? `${type}-subtract` : type;
}

function kernel(type: NeuronType, subtract: boolean): WasmFunction {
  const hasCurrent = type === 'CubaLIF' || type === 'CubaLI';
  const fires = type === 'LIF' || type === 'IF' || type === 'CubaLIF';
  const [offset, to, count, bits] = [0, 1, 2, 3].map((n) => FIELDS.length + n) as [number, number, number, number];
  const [current, u, fired, check] = [1, 2, 3, 4].map((n) => bits + n) as [number, number, number, number];
  const place = (field: NeuronField): Code => add(get(FIELDS.indexOf(field)), get(offset));
  const load = (field: NeuronField): Code => vector.load(place(field));
  const watch = (local: number): Code => {
    return set(check, vector.add(get(check), vector.subtract(get(local), get(local))));
  };

  const synapse = [
    // i = i + (b * ((w_in * x) - i))
    ...set(current, load('i')),
    ...set(
      current,
      vector.add(
        get(current),
        vector.multiply(
          load('synapse'),
          vector.subtract(vector.multiply(load('inputWeight'), load('x')), get(current)),
        ),
      ),
    ),
    ...vector.store(place('i'), get(current)),
    ...watch(current),
  ];

  const drive = hasCurrent ? get(current) : load('x');
  const push =
    type === 'IF' || type === 'I'
      ? // v = v + (g * x)
        vector.multiply(load('gain'), load('x'))
      : // v = v + (a * ((v_leak - v) + (r * x)))
        vector.multiply(
          load('gain'),
          vector.add(vector.subtract(load('leak'), get(u)), vector.multiply(load('resistance'), drive)),
        );
  const membrane = [...set(u, load('v')), ...set(u, vector.add(get(u), push)), ...watch(u)];

  // The place behind the list is always free: no more elements have fired than have gone by.
  const listLane = (lane: number): Code => [
    ...storeInt(
      add(get(FIELDS.indexOf('spikes')), shiftLeft(get(count), 2)),
      add(shiftRight(get(offset), 2), int(lane)),
    ),
    ...set(count, add(get(count), and(shiftRight(get(bits), lane), int(1)))),
  ];
  const fire = [
    ...set(fired, vector.above(get(u), load('threshold'))),
    ...vector.store(place('y'), vector.and(get(fired), vector.ones)),
    ...set(bits, vector.bits(get(fired))),
    ...when(get(bits), [
      ...set(
        u,
        vector.select(get(fired), subtract ? vector.subtract(get(u), load('threshold')) : load('reset'), get(u)),
      ),
      ...watch(u),
      ...[0, 1, 2, 3].flatMap(listLane),
    ]),
  ];

  const body = [
    ...loopWhile(below(get(offset), get(to)), [
      ...(hasCurrent ? synapse : []),
      ...membrane,
      ...(fires ? fire : []),
      ...vector.store(place('v'), get(u)),
      ...set(offset, add(get(offset), int(16))),
    ]),
    ...choose(vector.allTrue(vector.equal(get(check), vector.zeros)), get(count), int(-1)),
  ];
  const name = neuronKernelName(type, subtract);
  return { name, parameters: FIELDS.length + 3, returnsInt: true, ints: 1, vectors: 4, body };
}

export const NEURON_FUNCTIONS = NEURONS.flatMap((type) => [kernel(type, false), kernel(type, true)]);
