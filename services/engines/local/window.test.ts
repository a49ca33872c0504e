// proto/NUMERICS.md, "Windows": convolutions over a picture of 4 × 4, worked out by hand.
import { describe, expect, it } from '@jest/globals';
import { type FieldValue, dims } from '../../../test/support/nir-writer.ts';
import { node, runGraph } from '../../../test/support/run-network.ts';

const RUN = 'dt: 1\nsteps: 1\nreadout: {from: last_potential}';
const one = { ...dims(1), shape: [] };
const numbers = { stride: one, padding: 'valid', dilation: one, groups: one, bias: [0] };
/** 1 to 16, row by row. */
const small = Array.from({ length: 16 }, (_, n) => n + 1);

/** What a convolution of 2 × 2 ones gives, with these fields. `outputs`: how many it gives. */
function convolved(
  outputs: number,
  fields: Readonly<Record<string, FieldValue>>,
  inputShape = [1, 4, 4],
  picture: readonly number[] = small,
): number[] {
  const weight = { shape: [1, 1, 2, 2], values: [1, 1, 1, 1] };
  const nodes = {
    input: node('Input', { shape: dims(...inputShape) }),
    conv: node('Conv2d', { weight, ...numbers, ...fields }),
    output: node('Output', { shape: dims(outputs) }),
  };
  const edges = [
    ['input', 'conv'],
    ['conv', 'output'],
  ] as const;
  return [...runGraph({ type: 'NIRGraph', nodes, edges }, RUN, picture).potentials];
}

describe('a convolution', () => {
  it('adds the elements of its window, which moves by the stride', () => {
    expect(convolved(4, { stride: dims(2, 2) })).toEqual([
      1 + 2 + 5 + 6,
      3 + 4 + 7 + 8,
      9 + 10 + 13 + 14,
      11 + 12 + 15 + 16,
    ]);
  });

  it('skips the elements between those of its window, with a dilation', () => {
    expect(convolved(1, { dilation: dims(3, 3) })).toEqual([1 + 4 + 13 + 16]);
  });

  it('reads 0 outside the input, with a padding', () => {
    expect(convolved(4, { padding: dims(1, 1), stride: dims(4, 4) })).toEqual([1, 4, 13, 16]);
  });

  it('puts out one channel after the other', () => {
    const weight = { shape: [2, 1, 2, 2], values: [1, 1, 1, 1, 0, 0, 0, 1] };
    expect(convolved(8, { weight, bias: [0, 100], stride: dims(2, 2) })).toEqual([
      ...[14, 22, 46, 54],
      ...[106, 108, 114, 116],
    ]);
  });

  it('takes a flat input, with an input_shape', () => {
    expect(convolved(1, { dilation: dims(3, 3), input_shape: dims(4, 4) }, [16])).toEqual([1 + 4 + 13 + 16]);
  });

  it('has room for large pictures with many channels, each with its own sums', () => {
    const [side, channels] = [40, 24];
    const weight = { shape: [channels, 1, 2, 2], values: Array.from({ length: 4 * channels }, (_, n) => n >> 2) };
    const bias = Array.from({ length: channels }, (_, channel) => channel);
    const large = Array.from({ length: side * side }, (_, n) => n % 7);
    const at = (row: number, column: number): number => large[row * side + column]!;
    const expected = Array.from({ length: channels * (side - 1) ** 2 }, (_, n) => {
      const [channel, place] = [Math.floor(n / (side - 1) ** 2), n % (side - 1) ** 2];
      const [row, column] = [Math.floor(place / (side - 1)), place % (side - 1)];
      return channel * (1 + at(row, column) + at(row, column + 1) + at(row + 1, column) + at(row + 1, column + 1));
    });
    expect(convolved(expected.length, { weight, bias }, [1, side, side], large)).toEqual(expected);
  });
});
