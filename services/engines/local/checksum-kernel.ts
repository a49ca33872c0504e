// The eight lanes of a state checksum, over whole rows of eight elements: proto/NUMERICS.md, "Recording".
//
// A multiplication of the lanes takes in four rows at once: h·P⁴ + m₀·P³ + m₁·P² + m₂·P + m₃ is what four in turn give.
import type { Code, WasmFunction } from './wasm-code.ts';
import { add, below, get, int, loopWhile, set, shiftLeft, vector } from './wasm-code.ts';

export const LANES = 8;
export const FACTOR = 0xc2b2ae3d;
export const FOLD_FACTOR = 0x85ebca77;

export interface ChecksumKernel {
  /**
   * Adds the elements at `row`, addresses in bytes: up to `blocksEnd` in blocks of 32, then up to `rowsEnd` in rows of
   * eight. `lanes` is the address of eight 4-byte integers.
   */
  checksum(row: number, blocksEnd: number, rowsEnd: number, lanes: number): void;
}

export const CHECKSUM_BLOCK_BYTES = 128;
export const CHECKSUM_ROW_BYTES = 32;

const POWERS = [1, 2, 3, 4];

function kernel(): WasmFunction {
  const [row, blocksEnd, rowsEnd, lanes] = [0, 1, 2, 3];
  const [low, high, word] = [4, 5, 6];
  const power = (exponent: number): number => word + exponent;
  /** `word ^ (word >> 16)` of the four elements there. */
  const loadMixed = (offset: number): Code => [
    ...set(word, vector.load(get(row), offset)),
    ...set(word, vector.xor(get(word), vector.shiftRightInts(get(word), 16))),
  ];
  /** Takes `count` rows into half of the lanes. */
  const take = (count: number, half: number, offset: number): Code => [
    ...set(half, vector.multiplyInts(get(half), get(power(count)))),
    ...Array.from({ length: count }, (_, n) => {
      const exponent = count - 1 - n;
      const term = exponent === 0 ? get(word) : vector.multiplyInts(get(word), get(power(exponent)));
      return [...loadMixed(offset + n * CHECKSUM_ROW_BYTES), ...set(half, vector.addInts(get(half), term))];
    }).flat(),
  ];
  const both = (count: number): Code => [...take(count, low, 0), ...take(count, high, 16)];
  const body = [
    ...POWERS.flatMap((exponent) => set(power(exponent), vector.constant(powerOf(exponent)))),
    ...set(low, vector.load(get(lanes))),
    ...set(high, vector.load(get(lanes), 16)),
    ...loopWhile(below(get(row), get(blocksEnd)), [
      ...both(4),
      ...set(row, add(get(row), shiftLeft(int(CHECKSUM_BLOCK_BYTES / 32), 5))),
    ]),
    ...loopWhile(below(get(row), get(rowsEnd)), [...both(1), ...set(row, add(get(row), int(CHECKSUM_ROW_BYTES)))]),
    ...vector.store(get(lanes), get(low)),
    ...vector.store(add(get(lanes), int(16)), get(high)),
  ];
  return { name: 'checksum', parameters: 4, returnsInt: false, ints: 0, vectors: 3 + POWERS.length, body };
}

function powerOf(exponent: number): number {
  return Array<number>(exponent).fill(FACTOR).reduce(Math.imul, 1) >>> 0;
}

export const CHECKSUM_FUNCTIONS = [kernel()];
