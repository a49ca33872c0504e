import { describe, expect, it } from '@jest/globals';
import { zipSync } from 'fflate';
import { npy, npz } from '../../test/support/npz.ts';
import { NumpyError, readNpy, readNpz } from './npy.ts';

describe('readNpy', () => {
  const bytesOf = (values: Float32Array | BigInt64Array | Float64Array) => new Uint8Array(values.buffer);

  it('returns shape and values', () => {
    const { shape, values } = readNpy(npy([2, 2], bytesOf(Float32Array.of(1, 2, 3, 4))), 'a');
    expect([shape, [...values]]).toEqual([
      [2, 2],
      [1, 2, 3, 4],
    ]);
  });

  it.each([
    ['|b1', Uint8Array.of(1, 0)],
    ['|u1', Uint8Array.of(1, 0)],
    ['<i8', bytesOf(BigInt64Array.of(1n, 0n))],
    ['<f8', bytesOf(Float64Array.of(1, 0))],
  ])('accepts elements of type %s', (type, data) => {
    expect([...readNpy(npy([2], data, type), 'a').values]).toEqual([1, 0]);
  });

  it('accepts column-major order', () => {
    const { values } = readNpy(npy([2, 3], bytesOf(Float32Array.of(1, 4, 2, 5, 3, 6)), '<f4', true), 'a');
    expect([...values]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.each([
    ['is not an .npy file', Buffer.from('nothing of the kind')],
    ['has elements of type "<c8"; known are', npy([1], new Uint8Array(8), '<c8')],
    ['has 4 bytes of data, but its shape [1000000000] takes 4000000000', npy([1e9], new Uint8Array(4))],
    ['ends in its header', npy([1], new Uint8Array(4)).subarray(0, 20)],
  ])('refuses a file that %s', (problem, file) => {
    expect(() => readNpy(file, 'a')).toThrow(`array "a": ${problem}`);
  });
});

describe('readNpz', () => {
  it('returns arrays by name', () => {
    expect([...readNpz(npz({ input: [[1, 2]], output: [[3]] })).keys()]).toEqual(['input', 'output']);
  });

  it.each([
    ['not an archive', Buffer.from('PK is not enough')],
    ['an archive cut short', npz({ input: [[1]] }).subarray(0, 60)],
  ])('refuses a file that is %s', (_, file) => {
    expect(() => readNpz(file)).toThrow(NumpyError);
  });

  it('ignores files that are not arrays', () => {
    expect(readNpz(zipSync({ 'notes.txt': Buffer.from('x') })).size).toBe(0);
  });
});
