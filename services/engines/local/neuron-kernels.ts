// A step of the neurons of one node, four at a time: proto/NUMERICS.md, "A step" and "Conventions", line by line.
//
// Rows are arrays that fill whole vectors of 16 bytes. The constants of four neurons lie side by side, so a kernel has few
// addresses, which stay in registers. All sizes and addresses are in bytes.
import type { Code, WasmFunction } from './wasm-code.ts';
import type { Constants } from './network.ts';
import type { FireRule, NeuronRule } from './neuron-rule.ts';
import { MAX_SPIKES_PER_STEP, isDefaultRule } from './neuron-rule.ts';
import type { NeuronType } from './node-types.ts';
import { add, below, choose, get, int, loopWhile, popcount, set, shiftLeft, shiftRight, vector } from './wasm-code.ts';

const VECTOR_BYTES = 16;

/** For each mask of four lanes: the lanes that are set, then zeros. */
export const LANES = Int32Array.from(
  Array.from({ length: 16 }, (_, mask) => {
    const set = [0, 1, 2, 3].filter((lane) => (mask >> lane) % 2 === 1);
    return [...set, 0, 0, 0, 0].slice(0, 4);
  }).flat(),
);

type Constant = Exclude<keyof Constants, 'weight' | 'bias' | 'scale' | 'start'>;

const LEAKY = ['gain', 'leak', 'resistance', 'least'] as const;
const FIRING = ['threshold', 'reset'] as const;
const SYNAPTIC = ['synapse', 'inputWeight'] as const;

/** The constants of each type of neuron, in the order in which they lie side by side. */
export const NEURON_CONSTANTS = {
  LIF: [...LEAKY, ...FIRING],
  LI: LEAKY,
  IF: ['gain', 'least', ...FIRING],
  I: ['gain', 'least'],
  CubaLIF: [...LEAKY, ...FIRING, ...SYNAPTIC],
  CubaLI: [...LEAKY, ...SYNAPTIC],
} as const satisfies Record<NeuronType, readonly Constant[]>;

const NEURON_TYPES = Object.keys(NEURON_CONSTANTS) as NeuronType[];

/**
 * `v`, `i`, `y`, `x`: rows, never touched where a type of neuron lacks them. `constants`: those of the element at `from`. `from`
 * and `to` bound the elements, as offsets into the rows. Elements that fire are listed at `spikes`, behind `count` others; `lanes`
 * is the table LANES. Returns the list's new length, or -1 where some `i` or `v`, before or after its reset, is not finite:
 * `value - value` is +0 for every finite value and NaN for all others, and stays NaN when other bits are or-ed to it.
 */
type NeuronKernel = (
  v: number,
  i: number,
  y: number,
  x: number,
  constants: number,
  spikes: number,
  lanes: number,
  from: number,
  to: number,
  count: number,
) => number;
export type NeuronKernels = Readonly<Record<NeuronType, NeuronKernel>>;

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
  const [v, i, y, x, constants] = [0, 1, 2, 3, 4];
  const [list, lanes, offset, to, count, bits] = [5, 6, 7, 8, 9, 10];
  const [current, u, fired, check] = [1, 2, 3, 4].map((n) => bits + n) as [number, number, number, number];
  const [before, sum, spikes] = [5, 6, 7].map((n) => bits + n) as [number, number, number];
  const address = (row: number): Code => add(get(row), get(offset));
  const fields: readonly Constant[] = NEURON_CONSTANTS[type];
  const load = (field: Constant): Code => vector.load(get(constants), VECTOR_BYTES * fields.indexOf(field));
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
          vector.subtract(vector.multiply(load('inputWeight'), vector.load(address(x))), get(current)),
        ),
      ),
    ),
    unit: set(
      current,
      vector.add(
        vector.subtract(get(current), vector.multiply(load('synapse'), get(current))),
        vector.load(address(x)),
      ),
    ),
    decayed: [
      ...set(sum, vector.add(get(current), vector.load(address(x)))),
      ...set(current, vector.subtract(get(sum), vector.multiply(load('synapse'), get(sum)))),
    ],
  };
  const synapse = [
    ...set(current, vector.load(address(i))),
    ...synapses[rule.synapseGain],
    ...vector.store(address(i), get(current)),
    ...watch(current),
  ];

  const drive = hasCurrent ? get(current) : vector.load(address(x));
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
  const isSubtracted = fires && isDefaultRule(rule) && !toValue;
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
  const integrate = set(u, vector.add(get(u), vector.multiply(load('gain'), vector.load(address(x)))));
  const membrane = [
    ...set(u, vector.load(address(v))),
    ...set(before, get(u)),
    ...(fires && firesFirst ? [...set(spikes, spikesOf(rule, get(u), load('threshold'))), ...resetBySpikes] : []),
    ...(type === 'IF' || type === 'I' ? integrate : leaks[rule.lifGain]),
    ...(isSubtracted ? [] : watch(u)),
  ];

  // Without a branch, since activity is what a branch predictor cannot foresee. A whole vector is written; behind the list
  // there is room for it, since no more elements have fired than have gone by.
  const appendToList = [
    ...vector.store(
      add(get(list), shiftLeft(get(count), 2)),
      vector.addInts(
        vector.splatInt(shiftRight(get(offset), 2)),
        vector.load(add(get(lanes), shiftLeft(get(bits), 4))),
      ),
    ),
    ...set(count, add(get(count), popcount(get(bits)))),
  ];
  const fireByDefault = [
    ...set(fired, vector.above(get(u), load('threshold'))),
    ...vector.store(address(y), vector.and(get(fired), vector.ones)),
    ...set(bits, vector.bits(get(fired))),
    // Thresholds and reset values are finite. So a potential that is not stays so when a threshold is subtracted, and one that is
    // stays so when it is replaced: one look, behind or before, is enough.
    ...(isSubtracted
      ? [...set(u, vector.subtract(get(u), vector.and(get(fired), load('threshold')))), ...watch(u)]
      : set(u, vector.select(get(fired), load('reset'), get(u)))),
    ...appendToList,
  ];
  const fireByRule = [
    ...set(spikes, spikesOf(rule, get(rule.delayed || rule.late ? before : u), load('threshold'))),
    ...(firesFirst ? [] : resetBySpikes),
    ...(rule.delayed && !rule.late ? set(spikes, spikesOf(rule, get(u), load('threshold'))) : []),
    ...vector.store(address(y), get(spikes)),
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
      ...vector.store(address(v), get(u)),
      ...set(offset, add(get(offset), int(VECTOR_BYTES))),
      ...set(constants, add(get(constants), int(VECTOR_BYTES * fields.length))),
    ]),
    ...choose(vector.allTrue(vector.equal(get(check), vector.zeros)), get(count), int(-1)),
  ];
  return { name: type, parameters: 10, returnsInt: true, ints: 1, vectors: 7, body };
}

/** One kernel for each type of neuron, by its name. */
export function neuronFunctions(rule: NeuronRule): WasmFunction[] {
  return NEURON_TYPES.map((type) => kernel(type, rule));
}
