import { describe, expect, it } from '@jest/globals';
import { matrix, type Values, writeNir } from '../../../test/support/nir-writer.ts';
import { tokenVectors } from './token-vectors.ts';

const size = (elements: number): Values => ({ shape: [1], values: [elements], dtype: 'int64' });

/** A file of three tokens with two dimensions: `rows` is [dimension][token]. */
function file(rows: number[][], type = 'Linear', name = 'embedding'): Uint8Array {
  const weight = matrix(...rows);
  return writeNir({
    type: 'NIRGraph',
    nodes: {
      input: { type: 'Input', fields: { shape: size(3) } },
      [name]: { type, fields: { weight, ...(type === 'Affine' ? { bias: [0, 0] } : {}) } },
      output: { type: 'Output', fields: { shape: size(2) } },
    },
    edges: [
      ['input', name],
      [name, 'output'],
    ],
  });
}

const ROWS = [
  [127 / 64, -3 / 64, 0],
  [1 / 64, 5 / 64, -127 / 64],
];

describe('tokenVectors', () => {
  it('returns whole numbers, one vector per token', () => {
    const found = tokenVectors(file(ROWS), 3);
    expect(found?.dimensions).toBe(2);
    expect([...found!.values]).toEqual([127, 1, -3, 5, 0, -127]);
  });

  it.each<[string, Uint8Array, number]>([
    ['a value lies between two steps', file([ROWS[0]!.with(1, 0.0123), ROWS[1]!]), 3],
    ['the tokenizer has other tokens', file(ROWS), 4],
    ['the node is not linear', file(ROWS, 'Affine'), 3],
    ['no node has the name', file(ROWS, 'Linear', 'other'), 3],
  ])('returns undefined if %s', (_, nir, tokens) => {
    expect(tokenVectors(nir, tokens)).toBeUndefined();
  });

  it('throws if the file is damaged', () => {
    expect(() => tokenVectors(file(ROWS).subarray(0, 200), 3)).toThrow();
  });
});
