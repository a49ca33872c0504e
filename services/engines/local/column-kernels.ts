// Adds weights to outputs, one panel of outputs at a time.
//
// A panel is one to eight vectors of four outputs. Weights are stored source by source, so the sums of a panel stay in
// registers and memory is read sequentially. Sources are added one by one in the order of their list; each product and
// each sum is rounded separately.
import type { Code, WasmFunction } from './wasm-code.ts';
import { add, below, get, int, loadInt, loopWhile, set, shiftLeft, vector } from './wasm-code.ts';

const VECTOR_BYTES = 16;
/** Vectors in a panel. The sums of the largest fit into half of the sixteen registers that every machine has. */
const WIDTHS = [8, 4, 2, 1] as const;

/** Adds `weights + index * stride` times the value to `y`, for the int32 indices from `at` to `end`; all in bytes. */
export type WeightedKernel = (y: number, weights: number, at: number, end: number, values: number) => void;
/** For spikes, whose value is 1. */
export type SpikesKernel = (y: number, weights: number, at: number, end: number) => void;
export type ColumnKernels = Readonly<Record<string, WeightedKernel & SpikesKernel>>;

/** Neighbouring outputs of a weighted node. Sizes in bytes, except the names of its kernels. */
interface Panel {
  readonly first: number;
  readonly stride: number;
  readonly weighted: string;
  readonly spikes: string;
}

/** Splits `bytes`, whole vectors, into panels: as many of the widest as fit, then narrower ones. */
export function panelsOf(bytes: number): readonly Panel[] {
  const panels: Panel[] = [];
  let first = 0;
  for (const width of WIDTHS) {
    const stride = width * VECTOR_BYTES;
    for (; first + stride <= bytes; first += stride) {
      panels.push({ first, stride, weighted: `weighted-${width}`, spikes: `spikes-${width}` });
    }
  }
  return panels;
}

function kernel(width: number, isWeighted: boolean): WasmFunction {
  const parameters = isWeighted ? 5 : 4;
  const [y, weights, at, end, values] = [0, 1, 2, 3, 4];
  const row = parameters;
  const sum = (n: number): number => row + 1 + n;
  const factor = sum(width);
  const each = Array.from({ length: width }, (_, n) => n);
  const term = (n: number): Code => {
    const weight = vector.load(get(row), n * VECTOR_BYTES);
    return isWeighted ? vector.multiply(weight, get(factor)) : weight;
  };
  const body = [
    ...each.flatMap((n) => set(sum(n), vector.load(get(y), n * VECTOR_BYTES))),
    ...loopWhile(below(get(at), get(end)), [
      ...set(row, add(get(weights), shiftLeft(loadInt(get(at), 0), Math.log2(width * VECTOR_BYTES)))),
      ...(isWeighted ? set(factor, vector.loadSplat(get(values), 0)) : []),
      ...each.flatMap((n) => set(sum(n), vector.add(get(sum(n)), term(n)))),
      ...set(at, add(get(at), int(4))),
      ...(isWeighted ? set(values, add(get(values), int(4))) : []),
    ]),
    ...each.flatMap((n) => vector.store(get(y), get(sum(n)), n * VECTOR_BYTES)),
  ];
  const name = `${isWeighted ? 'weighted' : 'spikes'}-${width}`;
  return { name, parameters, returnsInt: false, ints: 1, vectors: width + 1, body };
}

export const COLUMN_FUNCTIONS = WIDTHS.flatMap((width) => [kernel(width, true), kernel(width, false)]);
