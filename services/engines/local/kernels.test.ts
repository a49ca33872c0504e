import { describe, expect, it } from '@jest/globals';
import { add, countActive, gather, isFinite32, isMostlyActive, scale, threshold } from './kernels.ts';

const { fround } = Math;
const of = (...values: number[]): Float32Array => Float32Array.from(values);

describe('the plain loops of a step', () => {
  it('scale multiplies each element by its own factor', () => {
    const y = of(9, 9, 9);
    scale(y, of(2, 0.1, -1), of(3, 0.3, 4));
    expect([...y]).toEqual([6, fround(fround(0.1) * fround(0.3)), -4]);
  });

  it('add adds to each element', () => {
    const sum = of(1, 2, 3);
    add(sum, of(10, 20, -3));
    expect([...sum]).toEqual([11, 22, 0]);
  });

  it('threshold fires above its limits, and lists the elements that do', () => {
    const [y, list] = [of(9, 9, 9, 9, 9), new Int32Array(5).fill(-1)];
    expect(threshold(y, of(1, 1, 1, -2, 0), of(2, 1, 0.5, -1, 7), list)).toBe(3);
    expect([[...y], [...list]]).toEqual([
      [1, 0, 0, 1, 1],
      [0, 3, 4, -1, -1],
    ]);
  });

  it('gather lists the elements that are not 0, with their values', () => {
    const [at, values] = [new Int32Array(5).fill(-1), new Float32Array(5)];
    expect(gather(of(3, 0, -0, -2, 1), at, values)).toBe(3);
    expect([[...at], [...values]]).toEqual([
      [0, 3, 4, -1, -1],
      [3, -2, 1, 0, 0],
    ]);
  });

  it('countActive counts the elements that are not 0', () => {
    expect([countActive(of()), countActive(of(1, 0, -0, -2, NaN))]).toEqual([0, 3]);
  });

  it.each([
    [[], true],
    [[1, -0, 3e38], true],
    [[NaN, 1], false],
    [[1, Infinity], false],
    [[1, 2, -Infinity], false],
    [[Infinity, -Infinity], false],
  ])('isFinite32 of %p is %p', (values, expected) => {
    expect(isFinite32(of(...values))).toBe(expected);
  });
});

describe('isMostlyActive', () => {
  it.each([
    [[1, 0], false],
    [[1, 1, 0], true],
    [[1, 0, 0], false],
    [[1], true],
    [[0], false],
  ])('%p: %p', (values, expected) => {
    expect(isMostlyActive(of(...values))).toBe(expected);
  });

  it.each([
    [32, false],
    [33, true],
  ])('looks at the first 64 elements: %d of those', (active, expected) => {
    const many = new Float32Array(200);
    expect(isMostlyActive(many.fill(1, 64 - active, 64))).toBe(expected);
    expect(isMostlyActive(many.fill(1, 64))).toBe(expected);
  });

  it('looks at all of 64 elements', () => {
    expect(isMostlyActive(new Float32Array(64).fill(1, 31))).toBe(true);
    expect(isMostlyActive(new Float32Array(64).fill(1, 32))).toBe(false);
    expect(isMostlyActive(new Float32Array(65).fill(1, 32))).toBe(false);
  });
});
