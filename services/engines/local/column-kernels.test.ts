import { describe, expect, it } from '@jest/globals';
import { Random } from '../../../test/fuzz/random.ts';
import { Arena, arenaBytes } from './arena.ts';
import { panelsOf } from './column-kernels.ts';

const { fround } = Math;
const MEMORY_BYTES = 1 << 20;

/** As proto/NUMERICS.md says it, one operation at a time. */
function byTheBook(
  y: Float32Array,
  columns: readonly Float32Array[],
  at: readonly number[],
  x: readonly number[],
): void {
  for (const [n, column] of at.entries()) {
    for (let o = 0; o < y.length; o += 1) y[o] = fround(y[o]! + fround(columns[column]![o]! * x[n]!));
  }
}

describe.each([1, 3, 4, 5, 16, 33, 45, 96])('columns of %d weights', (size) => {
  it.each([0, 1, 3, 4, 7, 12])('are added in order, %d of them, to the bit', (count) => {
    const random = new Random(size * 100 + count);
    const arena = new Arena(MEMORY_BYTES);
    const panels = panelsOf(arenaBytes(size));
    const [y, spikeY] = [arena.floats(size), arena.floats(size)];
    const columns = random.list(20, () =>
      Float32Array.from({ length: size }, () => random.between(-1, 1) * 10 ** random.integer(-42, 8)),
    );
    const weights = panels.map(({ first, stride }) => {
      const [from, width] = [first / 4, stride / 4];
      const of = arena.floats(width * columns.length);
      for (const [n, column] of columns.entries()) of.set(column.subarray(from, from + width), n * width);
      return of.byteOffset;
    });
    const chosen = random.list(count, () => random.integer(0, 19)).sort((a, b) => a - b);
    const factors = chosen.map(() => fround(random.between(-2, 2)));
    const at = arena.ints(count);
    const values = arena.floats(count);
    at.set(chosen);
    values.set(factors);
    const end = at.byteOffset + 4 * count;

    const start = Float32Array.from({ length: size }, () => random.between(-1, 1));
    const [expected, spikeExpected] = [start.slice(), start.slice()];
    byTheBook(expected, columns, chosen, factors);
    byTheBook(spikeExpected, columns, chosen, Array<number>(count).fill(1));
    y.set(start);
    spikeY.set(start);
    for (const [n, { first, weighted, spikes }] of panels.entries()) {
      arena.columns[weighted]!(y.byteOffset + first, weights[n]!, at.byteOffset, end, values.byteOffset);
      arena.columns[spikes]!(spikeY.byteOffset + first, weights[n]!, at.byteOffset, end, 0);
    }
    expect([...y]).toEqual([...expected]);
    expect([...spikeY]).toEqual([...spikeExpected]);
  });
});
