// Adds the contribution of one source of a convolution, through all its taps, to sums stored with channels last.
//
// All are addresses in bytes and steps in bytes, which may be negative. A position's sums and a tap's weights fill
// `stride` bytes, whole vectors of 16; each product and each sum is rounded on its own.
import type { Code, WasmFunction } from './wasm-code.ts';
import { add, below, get, int, repeatWhile, set, vector } from './wasm-code.ts';

export interface ConvKernels {
  /** Weight times the value at `value`, for sources of any value. */
  tapsWeighted(...parameters: [...TapParameters, value: number]): void;
  /** For spikes, whose value is 1. */
  tapsSpikes(...parameters: TapParameters): void;
}

export type TapParameters = [
  sum: number,
  weight: number,
  stride: number,
  rows: number,
  columns: number,
  sumRow: number,
  sumColumn: number,
  weightRow: number,
  weightColumn: number,
];

function kernel(name: string, isWeighted: boolean): WasmFunction {
  const parameters = isWeighted ? 10 : 9;
  const [sum, weight, stride, rows, columns, sumRow, sumColumn, weightRow, weightColumn, value] = Array.from(
    { length: 10 },
    (_, n) => n,
  ) as [...TapParameters, number];
  const [s, w, left, offset, factor] = Array.from({ length: 5 }, (_, n) => parameters + n) as [
    ...[number, number, number, number, number],
  ];
  const address = add(get(s), get(offset));
  const weights = vector.load(add(get(w), get(offset)));
  const body: Code = [
    ...(isWeighted ? set(factor, vector.loadSplat(get(value), 0)) : []),
    ...repeatWhile(get(rows), [
      ...set(s, get(sum)),
      ...set(w, get(weight)),
      ...set(left, get(columns)),
      ...repeatWhile(get(left), [
        ...set(offset, int(0)),
        ...repeatWhile(below(get(offset), get(stride)), [
          ...vector.store(
            address,
            vector.add(vector.load(address), isWeighted ? vector.multiply(weights, get(factor)) : weights),
          ),
          ...set(offset, add(get(offset), int(16))),
        ]),
        ...set(s, add(get(s), get(sumColumn))),
        ...set(w, add(get(w), get(weightColumn))),
        ...set(left, add(get(left), int(-1))),
      ]),
      ...set(sum, add(get(sum), get(sumRow))),
      ...set(weight, add(get(weight), get(weightRow))),
      ...set(rows, add(get(rows), int(-1))),
    ]),
  ];
  return { name, parameters, returnsInt: false, ints: 4, vectors: 1, body };
}

export const CONV_FUNCTIONS = [kernel('tapsWeighted', true), kernel('tapsSpikes', false)];
