import { describe, expect, it } from '@jest/globals';
import { Random } from '../../../test/fuzz/random.ts';
import { Arena, arenaBytes } from './arena.ts';
import { panelsOf } from './column-kernels.ts';

const { fround } = Math;
const MEMORY_BYTES = 1 << 20;
const SOURCES = 20;

type Columns = readonly Float32Array[];

/** As proto/NUMERICS.md defines it, one operation at a time. */
function byTheBook(start: Float32Array, columns: Columns, at: readonly number[], x: readonly number[]): number[] {
  const y = start.slice();
  for (const [n, column] of at.entries()) {
    for (let o = 0; o < y.length; o += 1) y[o] = fround(y[o]! + fround(columns[column]![o]! * x[n]!));
  }
  return [...y];
}

/** Lays out a matrix, the start of the sums and the outputs in an arena; returns the first parameters of all kernels. */
function layOut(random: Random, size: number) {
  const arena = new Arena(MEMORY_BYTES);
  const columns = random.list(SOURCES, () =>
    Float32Array.from({ length: size }, () => random.between(-1, 1) * 10 ** random.integer(-42, 8)),
  );
  const weights = arena.floats((arenaBytes(size) / 4) * SOURCES);
  for (const { first, stride } of panelsOf(arenaBytes(size))) {
    const [from, width] = [first / 4, stride / 4];
    for (const [n, column] of columns.entries()) {
      weights.set(column.subarray(from, from + width), from * SOURCES + n * width);
    }
  }
  const [y, start] = [arena.floats(size), arena.floats(size)];
  start.set(random.list(size, () => random.between(-1, 1)));
  const first = [y.byteOffset, start.byteOffset, weights.byteOffset, SOURCES, arenaBytes(size)] as const;
  return { arena, columns, y, start, first };
}

/** Writes the values into an arena; returns the first address and the end address. */
function place(arena: Arena, values: readonly number[], type: 'ints' | 'floats'): readonly [number, number] {
  const array = arena[type](values.length);
  array.set(values);
  return [array.byteOffset, array.byteOffset + array.byteLength];
}

describe.each([1, 3, 4, 5, 16, 33, 45, 96])('columns of %d weights', (size) => {
  it.each([0, 1, 3, 4, 7, 12])('are added in order for %d sources, bit for bit', (count) => {
    const random = new Random(size * 100 + count);
    const { arena, columns, y, start, first } = layOut(random, size);
    const chosen = random.list(count, () => random.integer(0, SOURCES - 1)).sort((a, b) => a - b);
    const factors = chosen.map(() => fround(random.between(-2, 2)));
    const [at, end] = place(arena, chosen, 'ints');
    const [values] = place(arena, factors, 'floats');

    expect(arena.columns.weighted(...first, at, end, values)).toBe(1);
    expect([...y]).toEqual(byTheBook(start, columns, chosen, factors));
    expect(arena.columns.spikes(...first, at, end)).toBe(1);
    expect([...y]).toEqual(byTheBook(start, columns, chosen, Array<number>(count).fill(1)));
  });

  it('are added for all sources from one on, zeros included, bit for bit', () => {
    const random = new Random(size);
    const { arena, columns, y, start, first } = layOut(random, size);
    const chosen = Array.from({ length: SOURCES - 3 }, (_, n) => n + 3);
    const factors = chosen.map((n) => (n % 4 === 0 ? -0 : fround(random.between(-2, 2))));
    const [at, end] = place(arena, factors, 'floats');

    expect(arena.columns.dense(...first, at, end, 3)).toBe(1);
    expect([...y]).toEqual(byTheBook(start, columns, chosen, factors));
  });

  it('report whether each output is finite', () => {
    const { arena, start, first } = layOut(new Random(size), size);
    const [at] = place(arena, [0], 'floats');
    for (let n = 0; n < size; n += 1) {
      start[n] = n % 2 === 0 ? Infinity : NaN;
      expect(arena.columns.spikes(...first, at, at)).toBe(0);
      start[n] = 1;
    }
    expect(arena.columns.spikes(...first, at, at)).toBe(1);
  });
});
