import { describe, expect, it } from '@jest/globals';
import xxhash from 'xxhash-wasm';
import { xxh64 } from './xxh64.ts';

const { h64Raw } = await xxhash();

describe('xxh64', () => {
  it('matches the published values, with seed 0 by default', () => {
    expect(xxh64(Buffer.from(''))).toBe(0xef46db3751d8e999n);
    expect(xxh64(Buffer.from('abc'))).toBe(0x44bc2cf5ad770999n);
    expect(xxh64(Buffer.from('abc'), 1n)).not.toBe(0x44bc2cf5ad770999n);
  });

  it.each([0n, 7n])('gives the same hash for large data in chunks, with seed %d', (seed) => {
    const large = Buffer.from(Uint8Array.from({ length: 3 * 1024 * 1024 + 5 }, (_, k) => (k * 31) & 0xff));
    expect(xxh64(large, seed)).toBe(h64Raw(large, seed));
  });
});
