// A step of the neurons of one node, four at a time: proto/NUMERICS.md, "A step" and "Conventions", line by line.
//
// All parameters are addresses in bytes of arrays that fill whole vectors of 16 bytes; fields that a kind of neuron
// lacks are never touched. `from` and `to` bound the elements, as byte offsets into the arrays. Elements that fire are
// listed at `spikes`, behind `count` others; `lanes` is the table LANES. The answer is the list's new length, or -1 where
// some `i` or `v`, before or after its reset, is not finite: `value - value` is +0 for every finite value and NaN for all
// others, and stays NaN when other bits are or-ed to it.
import type { Code, WasmFunction } from './wasm-code.ts';
import type { FireRule, NeuronRule } from './neuron-rule.ts';
import { MAX_SPIKES_PER_STEP, isDefaultRule } from './neuron-rule.ts';
import { add, below, choose, get, int, loopWhile, popcount, set, shiftLeft, shiftRight, vector } from './wasm-code.ts';

const FIELDS = [
  ...(['v', 'i', 'y', 'x', 'gain', 'leak', 'resistance', 'synapse', 'inputWeight'] as const),
  ...(['threshold', 'reset', 'least', 'spikes', 'lanes'] as const),
];

/** For each mask of four lanes: the lanes that are set, then zeros. */
export const LANES = Int32Array.from(
  Array.from({ length: 16 }, (_, mask) => {
    const set = [0, 1, 2, 3].filter((lane) => (mask >> lane) % 2 === 1);
    return [...set, 0, 0, 0, 0].slice(0, 4);
  }).flat(),
);

export type NeuronField = (typeof FIELDS)[number];
export const NEURON_FIELDS: readonly NeuronField[] = FIELDS;

const NEURONS = ['LIF', 'LI', 'IF', 'I', 'CubaLIF', 'CubaLI'] as const;
type NeuronType = (typeof NEURONS)[number];

/** Addresses of NEURON_FIELDS, then `from`, `to`, `count`. */
type NeuronKernel = (...parameters: number[]) => number;
export type NeuronKernels = Readonly<Record<string, NeuronKernel>>;

/** Spikes of the potential in a local: 0, 1 or, with `multiple`, more. */
function spikesOf(rule: FireRule, potential: Code, threshold: Code): Code {
  const fires = rule.reached ? vector.reaches : vector.above;
  const held = vector.truncate(vector.minimum(vector.divide(potential, threshold), vector.splat(MAX_SPIKES_PER_STEP)));
  return vector.and(fires(potential, threshold), rule.multiple ? held : vector.ones);
}

function kernel(type: NeuronType, rule: NeuronRule): WasmFunction {
  const { toValue } = rule;
  const hasCurrent = type === 'CubaLIF' || type === 'CubaLI';
  const fires = type === 'LIF' || type === 'IF' || type === 'CubaLIF';
  const [offset, to, count, bits] = [0, 1, 2, 3].map((n) => FIELDS.length + n) as [number, number, number, number];
  const [current, u, fired, check] = [1, 2, 3, 4].map((n) => bits + n) as [number, number, number, number];
  const [before, sum, spikes] = [5, 6, 7].map((n) => bits + n) as [number, number, number];
  const address = (field: NeuronField): Code => add(get(FIELDS.indexOf(field)), get(offset));
  const load = (field: NeuronField): Code => vector.load(address(field));
  const watch = (local: number): Code => {
    return set(check, vector.or(get(check), vector.subtract(get(local), get(local))));
  };

  // i = i + (b * ((w_in * x) - i)), or what the manifest says instead.
  const synapses: Record<NeuronRule['synapseGain'], Code> = {
    dt: set(
      current,
      vector.add(
        get(current),
        vector.multiply(
          load('synapse'),
          vector.subtract(vector.multiply(load('inputWeight'), load('x')), get(current)),
        ),
      ),
    ),
    unit: set(
      current,
      vector.add(vector.subtract(get(current), vector.multiply(load('synapse'), get(current))), load('x')),
    ),
    decayed: [
      ...set(sum, vector.add(get(current), load('x'))),
      ...set(current, vector.subtract(get(sum), vector.multiply(load('synapse'), get(sum)))),
    ],
  };
  const synapse = [
    ...set(current, load('i')),
    ...synapses[rule.synapseGain],
    ...vector.store(address('i'), get(current)),
    ...watch(current),
  ];

  const drive = hasCurrent ? get(current) : load('x');
  const leakFrom = (local: number): Code => {
    return vector.add(get(local), vector.multiply(load('gain'), vector.subtract(load('leak'), get(local))));
  };
  // v = v + (a * ((v_leak - v) + (r * x))), or what the manifest says instead.
  const leaks: Record<NeuronRule['lifGain'], Code> = {
    dt: set(
      u,
      vector.add(
        get(u),
        vector.multiply(
          load('gain'),
          vector.add(vector.subtract(load('leak'), get(u)), vector.multiply(load('resistance'), drive)),
        ),
      ),
    ),
    unit: set(u, vector.add(leakFrom(u), drive)),
    decayed: [...set(sum, vector.add(get(u), drive)), ...set(u, leakFrom(sum))],
  };
  // A potential that fires late does so before the update, and its reset with it, unless that is delayed.
  const firesFirst = rule.late && !rule.delayed;
  const resetBySpikes = !rule.resets
    ? []
    : [
        ...set(fired, vector.differ(get(spikes), vector.zeros)),
        ...set(
          u,
          vector.select(
            get(fired),
            toValue ? load('reset') : vector.subtract(get(u), vector.multiply(get(spikes), load('threshold'))),
            get(u),
          ),
        ),
        ...watch(u),
      ];
  // v = v + (g * x)
  const integrate = set(u, vector.add(get(u), vector.multiply(load('gain'), load('x'))));
  const membrane = [
    ...set(u, load('v')),
    ...set(before, get(u)),
    ...(fires && firesFirst ? [...set(spikes, spikesOf(rule, get(u), load('threshold'))), ...resetBySpikes] : []),
    ...(type === 'IF' || type === 'I' ? integrate : leaks[rule.lifGain]),
    ...watch(u),
  ];

  // Without a branch, since activity is what a branch predictor cannot foresee. A whole vector is written; behind the list
  // there is room for it, since no more elements have fired than have gone by.
  const appendToList = [
    ...vector.store(
      add(get(FIELDS.indexOf('spikes')), shiftLeft(get(count), 2)),
      vector.addInts(
        vector.splatInt(shiftRight(get(offset), 2)),
        vector.load(add(get(FIELDS.indexOf('lanes')), shiftLeft(get(bits), 4))),
      ),
    ),
    ...set(count, add(get(count), popcount(get(bits)))),
  ];
  const fireByDefault = [
    ...set(fired, vector.above(get(u), load('threshold'))),
    ...vector.store(address('y'), vector.and(get(fired), vector.ones)),
    ...set(bits, vector.bits(get(fired))),
    ...set(u, vector.select(get(fired), toValue ? load('reset') : vector.subtract(get(u), load('threshold')), get(u))),
    ...watch(u),
    ...appendToList,
  ];
  const fireByRule = [
    ...set(spikes, spikesOf(rule, get(rule.delayed || rule.late ? before : u), load('threshold'))),
    ...(firesFirst ? [] : resetBySpikes),
    ...(rule.delayed && !rule.late ? set(spikes, spikesOf(rule, get(u), load('threshold'))) : []),
    ...vector.store(address('y'), get(spikes)),
    ...set(bits, vector.bits(vector.differ(get(spikes), vector.zeros))),
    ...appendToList,
  ];
  const fire = isDefaultRule(rule) ? fireByDefault : fireByRule;

  const body = [
    ...loopWhile(below(get(offset), get(to)), [
      ...(hasCurrent ? synapse : []),
      ...membrane,
      ...(fires ? fire : []),
      ...(rule.hasMin ? set(u, vector.select(vector.above(load('least'), get(u)), load('least'), get(u))) : []),
      ...vector.store(address('v'), get(u)),
      ...set(offset, add(get(offset), int(16))),
    ]),
    ...choose(vector.allTrue(vector.equal(get(check), vector.zeros)), get(count), int(-1)),
  ];
  return { name: type, parameters: FIELDS.length + 3, returnsInt: true, ints: 1, vectors: 7, body };
}

/** One kernel for each type of neuron, by its name. */
export function neuronFunctions(rule: NeuronRule): WasmFunction[] {
  return NEURONS.map((type) => kernel(type, rule));
}
