import { describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { parseCsv, parseNumbers, readInput } from './input.ts';

const floats = (text: string): number[] => {
  const { data } = parseNumbers(text);
  return Array.from({ length: data.length / 4 }, (_, k) => data.readFloatLE(k * 4));
};

describe('parseNumbers', () => {
  it.each([
    ['a JSON list', '[1, 2.5, -3]', [3]],
    ['words', ' 1 2.5\n-3 ', [3]],
    ['comma-separated', '1,2.5, -3', [3]],
  ])('accepts %s', (_name, text, shape) => {
    expect([floats(text), parseNumbers(text).shape]).toEqual([[1, 2.5, -3], shape]);
  });

  it('reads nested lists as a time series', () => {
    expect([parseNumbers('[[1,2],[3,4],[5,6]]').shape, floats('[[1,2],[3,4],[5,6]]')]).toEqual([
      [3, 2],
      [1, 2, 3, 4, 5, 6],
    ]);
  });

  it('reads one nested list as a series of one step', () => {
    expect(parseNumbers('[[1,2]]').shape).toEqual([1, 2]);
  });

  it('accepts NaN, which the router refuses', () => {
    expect(floats('1 NaN')[1]).toBeNaN();
  });

  it.each([
    ['', /empty/],
    ['one two', /"one" is not a number/],
    ['[1, "2"]', /^element 1 is not a number/],
    ['[[1, "2"]]', /element 1 of row 0 is not a number/],
    ['[[1,2],[3]]', /row 1 has a different length/],
    ['[1,', /not JSON/],
  ])('names the error in %j', (text, message) => {
    expect(() => parseNumbers(text)).toThrow(message);
  });
});

describe('files of numbers', () => {
  it('of type .csv have one row per line', () => {
    const { shape, data } = parseCsv('1,2.5\r\n-3, 4e2\n');
    expect([shape, data.readFloatLE(8), data.readFloatLE(12)]).toEqual([[2, 2], -3, 400]);
    expect(() => parseCsv('x,y\n1,2')).toThrow('line 1: "x" is not a number; a .csv file must have only numbers');
    expect(() => parseCsv('1,2\n3')).toThrow('row 1 has a different length from row 0');
  });

  it('of type .npy keep their shape', () => {
    const { shape, data } = readInput(join(import.meta.dirname, '../../test/data/inputs/frames.npy'));
    expect([shape, data.readFloatLE(0), data.readFloatLE(data.length - 4)]).toEqual([[2, 1, 2, 3], 0, 5.5]);
  });
});
