// What a recording keeps of one node at one step: proto/NUMERICS.md, "Recording".
//
// Rows may be read up to RECORD_SLACK_BYTES behind their ends. The checksum goes to `to`, the spikes behind it, sixteen
// neurons at a time; bits behind the last neuron are left to the caller.
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

const FACTOR = 0xc2b2ae3d;
const FOLD_FACTOR = 0x85ebca77;

/** Elements of all lanes, in bytes. */
const ROW_BYTES = 32;
/** One multiplication of the lanes takes in four rows: h·P⁴ + m₀·P³ + m₁·P² + m₂·P + m₃ is what four in turn give. */
const BLOCK_ROWS = 4;
const BLOCK_BYTES = BLOCK_ROWS * ROW_BYTES;
const GROUP_BYTES = 64;

export const RECORD_SLACK_BYTES = GROUP_BYTES;

export interface RecordKernel {
  /**
   * All but the counts are addresses in bytes. `first`, `second`: rows of the state; the same twice where there is one.
   * `blockBytes`, `rowBytes`: of a row, in whole blocks and in whole rows of eight elements; `rest`: elements behind those.
   * Spikes lie from `spikes` to `spikesEnd`.
   */
  record(
    ...parameters: [
      first: number,
      second: number,
      blockBytes: number,
      rowBytes: number,
      rest: number,
      spikes: number,
      spikesEnd: number,
      to: number,
    ]
  ): void;
}

/** `blockBytes`, `rowBytes` and `rest` of rows of so many elements. */
export function partsOfRow(elements: number): [blockBytes: number, rowBytes: number, rest: number] {
  const bytes = 4 * elements;
  return [bytes - (bytes % BLOCK_BYTES), bytes - (bytes % ROW_BYTES), elements % 8];
}

function kernel(): WasmFunction {
  const [first, second, blockBytes, rowBytes, rest, spikes, spikesEnd, to] = [0, 1, 2, 3, 4, 5, 6, 7];
  const [at, end] = [8, 9];
  const [low, high, sum, word] = [10, 11, 12, 13];
  const power = (exponent: number): number => word + exponent;

  /** `word ^ (word >> 16)` of the four elements there. */
  const loadMixed = (offset: number): Code => [
    ...set(word, vector.load(get(at), offset)),
    ...set(word, vector.xor(get(word), vector.shiftRightInts(get(word), 16))),
  ];
  /** Takes `count` rows into one half of the lanes, whose product is long under way: it is added last. */
  const take = (count: number, half: number, offset: number): Code => [
    ...Array.from({ length: count }, (_, n) => {
      const exponent = count - 1 - n;
      const term = exponent === 0 ? get(word) : vector.multiplyInts(get(word), get(power(exponent)));
      return [...loadMixed(offset + n * ROW_BYTES), ...set(sum, n === 0 ? term : vector.addInts(get(sum), term))];
    }).flat(),
    ...set(half, vector.addInts(vector.multiplyInts(get(half), get(power(count))), get(sum))),
  ];
  /** The lanes of which the row has an element. */
  const takeRest = (half: number, lane: number): Code => [
    ...loadMixed(4 * lane),
    ...set(
      half,
      vector.select(
        vector.aboveInts(vector.splatInt(get(rest)), vector.constants([0, 1, 2, 3].map((n) => lane + n))),
        vector.addInts(vector.multiplyInts(get(half), get(power(1))), get(word)),
        get(half),
      ),
    ),
  ];
  const through = (bytes: number, row: number, step: Code, body: Code): Code => [
    ...set(end, add(get(row), get(bytes))),
    ...loopWhile(below(get(at), get(end)), [...body, ...set(at, add(get(at), step))]),
  ];
  const takeRow = (row: number): Code => [
    ...set(at, get(row)),
    ...through(blockBytes, row, shiftLeft(int(BLOCK_ROWS), 5), [
      ...take(BLOCK_ROWS, low, 0),
      ...take(BLOCK_ROWS, high, 16),
    ]),
    ...through(rowBytes, row, int(ROW_BYTES), [...take(1, low, 0), ...take(1, high, 16)]),
    ...when(get(rest), [...takeRest(low, 0), ...takeRest(high, 4)]),
  ];

  const weights = (lane: number): Code => vector.constants([7, 6, 5, 4].map((n) => powerOf(FOLD_FACTOR, n - lane)));
  const folded = vector.addInts(vector.multiplyInts(get(low), weights(0)), vector.multiplyInts(get(high), weights(4)));
  const lanes = [0, 1, 2, 3].map((lane) => vector.lane(get(word), lane));

  // A 1 shifted by two is negative, and stays so when it is made narrower.
  const negative = (offset: number): Code => vector.shiftLeftInts(vector.load(get(spikes), offset), 2);
  const sixteen = vector.signs(
    vector.narrowShorts(vector.narrowInts(negative(0), negative(16)), vector.narrowInts(negative(32), negative(48))),
  );

  const body = [
    ...[1, 2, 3, 4].flatMap((n) => set(power(n), vector.constants(Array<number>(4).fill(powerOf(FACTOR, n))))),
    ...takeRow(first),
    ...when(differ(get(first), get(second)), takeRow(second)),
    ...set(word, folded),
    ...storeInt(get(to), lanes.reduce(add)),
    ...set(to, add(get(to), int(4))),
    ...loopWhile(below(get(spikes), get(spikesEnd)), [
      ...storeShort(get(to), sixteen),
      ...set(to, add(get(to), int(2))),
      ...set(spikes, add(get(spikes), shiftLeft(int(1), 6))),
    ]),
  ];
  return { name: 'record', parameters: 8, returnsInt: false, ints: 2, vectors: 4 + BLOCK_ROWS, body };
}

function powerOf(base: number, exponent: number): number {
  return Array<number>(exponent).fill(base).reduce(Math.imul, 1) >>> 0;
}

export const RECORD_FUNCTIONS = [kernel()];
