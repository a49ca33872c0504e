// Adding weight columns to outputs, four outputs at a time.
//
// Columns lie at `weight + index * stride`; the indices are int32 from `at` to `end`. They are added to `y` in that
// order, four a pass, so that a sum stays in a register while four columns go by; each product and each sum is still
// rounded on its own. All are addresses in bytes; `y` and every column fill whole vectors of 16 bytes.
import type { Code, WasmFunction } from './wasm-code.ts';
import { add, below, get, int, loadInt, loopWhile, multiply, repeatWhile, set, vector } from './wasm-code.ts';

export interface ColumnKernels {
  /** Column times value, for sources of any value. */
  weighted(y: number, weight: number, stride: number, at: number, end: number, values: number): void;
  /** For spikes, whose value is 1. */
  spikes(y: number, weight: number, stride: number, at: number, end: number): void;
}

function kernel(name: string, isWeighted: boolean): WasmFunction {
  const parameters = isWeighted ? 6 : 5;
  const [y, weight, stride, at, end, values] = [0, 1, 2, 3, 4, 5];
  const offset = parameters;
  const column = (n: number): number => offset + 1 + n;
  const factor = (n: number): number => offset + 5 + n;

  /** Adds the next `count` columns to all outputs. */
  const pass = (count: number): Code => {
    const each = Array.from({ length: count }, (_, n) => n);
    const term = (n: number): Code => {
      const weights = vector.load(add(get(column(n)), get(offset)));
      return isWeighted ? vector.multiply(weights, get(factor(n))) : weights;
    };
    const place = add(get(y), get(offset));
    const sum = each.reduce<Code>((code, n) => vector.add(code, term(n)), vector.load(place));
    return [
      ...each.flatMap((n) => set(column(n), add(get(weight), multiply(loadInt(get(at), 4 * n), get(stride))))),
      ...(isWeighted ? each.flatMap((n) => set(factor(n), vector.loadSplat(get(values), 4 * n))) : []),
      ...set(offset, int(0)),
      ...repeatWhile(below(get(offset), get(stride)), [
        ...vector.store(place, sum),
        ...set(offset, add(get(offset), int(16))),
      ]),
      ...set(at, add(get(at), int(4 * count))),
      ...(isWeighted ? set(values, add(get(values), int(4 * count))) : []),
    ];
  };

  const body = [
    ...loopWhile(below(add(get(at), int(12)), get(end)), pass(4)),
    ...loopWhile(below(get(at), get(end)), pass(1)),
  ];
  return { name, parameters, returnsInt: false, ints: 5, vectors: 4, body };
}

export const COLUMN_FUNCTIONS = [kernel('weighted', true), kernel('spikes', false)];
