import { describe, expect, it } from '@jest/globals';
import { countOf, packWeights, unpackWeights } from './packed-weights.ts';

function shared(values: readonly number[]): Float32Array {
  const weights = new Float32Array(new SharedArrayBuffer(4 * values.length));
  weights.set(values);
  return weights;
}

function bitsOf(weights: Float32Array): number[] {
  return [...new Uint32Array(weights.buffer, weights.byteOffset, weights.length)];
}

describe('packed weights with at most 256 different values', () => {
  const weights = shared(Array.from({ length: 1_000 }, (_, n) => ((n % 256) - 128) / 128));

  it('use one byte each', () => {
    const packed = packWeights(weights);
    expect(packed).toMatchObject({ indices: { length: 1_000 }, values: { length: 256 } });
    expect(countOf(packed)).toBe(1_000);
  });

  it('are unpacked bit for bit, in parts', () => {
    const target = new Float32Array(402);
    unpackWeights(packWeights(weights), 300, 700, target, 1);
    expect(bitsOf(target)).toEqual([0, ...bitsOf(weights).slice(300, 700), 0]);
  });

  it('keep the sign of zero', () => {
    const target = new Float32Array(2);
    unpackWeights(packWeights(shared([-0, 0])), 0, 2, target, 0);
    expect([...target]).toEqual([-0, 0]);
  });
});

describe('packed weights with more than 256 different values', () => {
  const weights = shared(Array.from({ length: 257 }, (_, n) => n));

  it('stay unchanged', () => {
    expect(packWeights(weights)).toBe(weights);
    expect(countOf(weights)).toBe(257);
  });

  it('are copied in parts', () => {
    const target = new Float32Array(4);
    unpackWeights(weights, 255, 257, target, 1);
    expect([...target]).toEqual([0, 255, 256, 0]);
  });
});
