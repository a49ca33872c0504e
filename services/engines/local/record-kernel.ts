// Computes the recorded data of one node at one step: proto/NUMERICS.md, "Recording".
//
// Rows may be read up to RECORD_SLACK_BYTES past their ends. The checksum is written to `to`, followed by the spikes,
// sixteen neurons at a time; the caller clears the bits after the last neuron.
import type { Code, WasmFunction } from './wasm-code.ts';
import {
  add,
  below,
  differ,
  get,
  int,
  loopWhile,
  set,
  shiftLeft,
  storeInt,
  storeShort,
  vector,
  when,
} from './wasm-code.ts';

/** Constants of the first block: for the lower halves of elements, then for the upper halves. */
const FACTORS = 0x3e1b6a09;
const GROWTH = 9;
const FOLD_FACTOR = 0x85ebca77;

/** A block is one element of each of the sixteen lanes, which are four vectors. */
const BLOCK_BYTES = 64;
const VECTORS = [0, 1, 2, 3];

export const RECORD_SLACK_BYTES = BLOCK_BYTES;

export interface RecordKernel {
  /**
   * All but `rest` are in bytes. `first`, `second`: rows of the state; the same twice where there is one. `blockBytes`: of a
   * row, in whole blocks; `rest`: elements behind those. Spikes lie from `spikes` to `spikesEnd`.
   */
  record(
    ...parameters: [
      first: number,
      second: number,
      blockBytes: number,
      rest: number,
      spikes: number,
      spikesEnd: number,
      to: number,
    ]
  ): void;
}

/** `blockBytes` and `rest` of rows of so many elements. */
export function partsOfRow(elements: number): [blockBytes: number, rest: number] {
  const rest = elements % 16;
  return [4 * (elements - rest), rest];
}

function kernel(): WasmFunction {
  const [first, second, blockBytes, rest, spikes, spikesEnd, to] = [0, 1, 2, 3, 4, 5, 6];
  const [at, end] = [7, 8];
  const [word, factors] = [9, 10];
  const lanesOf = (n: number): number => 11 + n;
  const blockStep = shiftLeft(int(1), 6);

  const take = (n: number, elements: Code): Code => {
    return set(lanesOf(n), vector.addInts(get(lanesOf(n)), vector.addedPairs(elements, get(factors))));
  };
  const elements = (n: number): Code => vector.load(get(at), 16 * n);
  /** The lanes for which the row has an element; the others count as 0. */
  const realElements = (n: number): Code => {
    const numbers = vector.constants([0, 1, 2, 3].map((lane) => 4 * n + lane));
    return vector.and(elements(n), vector.aboveInts(vector.splatInt(get(rest)), numbers));
  };
  const growth = vector.constants(Array<number>(4).fill((GROWTH << 16) | GROWTH));
  const grow = set(factors, vector.multiplyShorts(get(factors), growth));
  const takeRow = (row: number): Code => [
    ...set(at, get(row)),
    ...set(end, add(get(row), get(blockBytes))),
    ...loopWhile(below(get(at), get(end)), [
      ...VECTORS.flatMap((n) => take(n, elements(n))),
      ...grow,
      ...set(at, add(get(at), blockStep)),
    ]),
    ...when(get(rest), [...VECTORS.flatMap((n) => take(n, realElements(n))), ...grow]),
  ];

  const weights = (n: number): Code => {
    return vector.constants([0, 1, 2, 3].map((lane) => powerOf(FOLD_FACTOR, 15 - 4 * n - lane)));
  };
  const mixed = (n: number): Code => {
    return vector.xor(get(lanesOf(n)), vector.shiftRightInts(get(lanesOf(n)), 16));
  };
  const folded = VECTORS.map((n) => vector.multiplyInts(mixed(n), weights(n))).reduce((a, b) => vector.addInts(a, b));
  const lanes = [0, 1, 2, 3].map((lane) => vector.lane(get(word), lane));

  // Spikes are positive numbers, and so positive integers; all bits of a lane stay set when it is made narrower.
  const negative = (offset: number): Code => vector.aboveInts(vector.load(get(spikes), offset), vector.zeros);
  const sixteen = vector.signs(
    vector.narrowShorts(vector.narrowInts(negative(0), negative(16)), vector.narrowInts(negative(32), negative(48))),
  );

  const body = [
    ...set(factors, vector.constants(Array<number>(4).fill(FACTORS))),
    ...takeRow(first),
    ...when(differ(get(first), get(second)), takeRow(second)),
    ...set(word, folded),
    ...storeInt(get(to), lanes.reduce(add)),
    ...set(to, add(get(to), int(4))),
    ...loopWhile(below(get(spikes), get(spikesEnd)), [
      ...storeShort(get(to), sixteen),
      ...set(to, add(get(to), int(2))),
      ...set(spikes, add(get(spikes), blockStep)),
    ]),
  ];
  return { name: 'record', parameters: 7, returnsInt: false, ints: 2, vectors: 2 + VECTORS.length, body };
}

function powerOf(base: number, exponent: number): number {
  return Array<number>(exponent).fill(base).reduce(Math.imul, 1) >>> 0;
}

export const RECORD_FUNCTIONS = [kernel()];
