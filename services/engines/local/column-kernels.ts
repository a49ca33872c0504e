// Adds weights to the outputs of a Linear or Affine node.
//
// Outputs are cut into panels of one to eight vectors of four. A panel's weights are stored source by source, so its sums stay
// in registers and memory is read sequentially; the panels lie one behind the other. Sources are added one by one in ascending
// order; each product and each sum is rounded separately.
import type { Code, WasmFunction } from './wasm-code.ts';
import { add, and, below, get, int, loadInt, loopWhile, set, shiftLeft, subtract, vector, when } from './wasm-code.ts';

const VECTOR_BYTES = 16;
/** Vectors in a panel. The sums of the largest fit into half of the sixteen registers that every machine has. */
const WIDTHS = [8, 4, 2, 1] as const;

/** All but `sources` are in bytes. */
type Parameters = [
  /** Outputs: whole vectors. */
  y: number,
  /** What the sums start from: `y` itself, or the bias. */
  start: number,
  weights: number,
  /** Number of the matrix' sources. */
  sources: number,
  /** Of the outputs. */
  length: number,
  /** The sources to add: see ColumnKernels. */
  at: number,
  end: number,
];

/** Each returns 1 if all sums are finite, else 0. */
export interface ColumnKernels {
  /** For spikes, whose value is 1. `at`: the indices of the sources, int32. */
  spikes(...parameters: Parameters): number;
  /** `at`: the indices of the sources; `values`: their values. */
  weighted(...parameters: [...Parameters, values: number]): number;
  /**
   * For inputs that are rarely 0. `at`: the values of the sources from `first` on. Zeros are not skipped: a product with one is
   * +0 or -0, since weights are finite, and adding it changes a sum only if that is -0. A sum that does not start at -0 never
   * becomes -0, so the bits are those of `weighted`, unless `start` has a -0.
   */
  dense(...parameters: [...Parameters, first: number]): number;
}

/** Neighbouring outputs of a weighted node. Sizes in bytes. */
interface Panel {
  readonly first: number;
  readonly stride: number;
}

/** Splits `bytes`, whole vectors, into panels: as many of the widest as fit, then at most one of each narrower width. */
export function panelsOf(bytes: number): readonly Panel[] {
  const panels: Panel[] = [];
  let first = 0;
  for (const width of WIDTHS) {
    const stride = width * VECTOR_BYTES;
    for (; first + stride <= bytes; first += stride) panels.push({ first, stride });
  }
  return panels;
}

function kernel(name: keyof ColumnKernels): WasmFunction {
  const [y, start, weights, sources, length, at, end, extra] = [0, 1, 2, 3, 4, 5, 6, 7];
  const parameters = name === 'spikes' ? 7 : 8;
  const [cursor, row, value] = [0, 1, 2].map((n) => parameters + n) as [number, number, number];
  const [check, factor] = [parameters + 3, parameters + 4];
  const sum = (n: number): number => parameters + 5 + n;

  const panel = (width: number): Code => {
    const stride = width * VECTOR_BYTES;
    const shift = Math.log2(stride);
    const each = Array.from({ length: width }, (_, n) => n);
    const rowOf = (index: Code): Code => add(get(weights), shiftLeft(index, shift));
    const term = (n: number): Code => {
      const weight = vector.load(get(row), n * VECTOR_BYTES);
      return name === 'spikes' ? weight : vector.multiply(weight, get(factor));
    };
    const next = {
      spikes: [],
      weighted: set(value, add(get(value), int(4))),
      dense: set(row, add(get(row), int(stride))),
    };
    return [
      ...each.flatMap((n) => set(sum(n), vector.load(get(start), n * VECTOR_BYTES))),
      ...set(cursor, get(at)),
      ...(name === 'weighted' ? set(value, get(extra)) : []),
      ...(name === 'dense' ? set(row, rowOf(get(extra))) : []),
      ...loopWhile(below(get(cursor), get(end)), [
        ...(name === 'dense' ? [] : set(row, rowOf(loadInt(get(cursor), 0)))),
        ...(name === 'spikes' ? [] : set(factor, vector.loadSplat(get(name === 'dense' ? cursor : value), 0))),
        ...each.flatMap((n) => set(sum(n), vector.add(get(sum(n)), term(n)))),
        ...set(cursor, add(get(cursor), int(4))),
        ...next[name],
      ]),
      ...each.flatMap((n) => [
        ...vector.store(get(y), get(sum(n)), n * VECTOR_BYTES),
        // +0 for every finite value and NaN for all others.
        ...set(check, vector.or(get(check), vector.subtract(get(sum(n)), get(sum(n))))),
      ]),
      ...set(y, add(get(y), int(stride))),
      ...set(start, add(get(start), int(stride))),
      ...set(weights, rowOf(get(sources))),
    ];
  };

  const [widest, ...narrower] = WIDTHS;
  const body = [
    ...loopWhile(below(int(widest * VECTOR_BYTES - 1), get(length)), [
      ...panel(widest),
      ...set(length, subtract(get(length), int(widest * VECTOR_BYTES))),
    ]),
    ...narrower.flatMap((width) => when(and(get(length), int(width * VECTOR_BYTES)), panel(width))),
    ...vector.allTrue(vector.equal(get(check), vector.zeros)),
  ];
  return { name, parameters, returnsInt: true, ints: 3, vectors: 2 + widest, body };
}

export const COLUMN_FUNCTIONS = [kernel('spikes'), kernel('weighted'), kernel('dense')];
