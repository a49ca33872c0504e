import { describe, expect, it } from '@jest/globals';
import { bytes, counted, duration, milliseconds, perSecond } from './metrics-format.ts';

describe('formatting of metrics', () => {
  it.each([
    [0, '0 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [3_725, '1 h 2 min'],
    [90_000, '1 d 1 h'],
    [86_401, '1 d'],
  ])('writes a duration of %d s as %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it.each([
    [0, '0 B'],
    [1_023, '1023 B'],
    [1_536, '1.5 KiB'],
    [67_108_864n, '64.0 MiB'],
  ])('writes %p bytes as %s', (value, text) => {
    expect(bytes(value)).toBe(text);
  });

  it.each([
    [0.123, '0.12'],
    [12.34, '12.3'],
    [12_345.6, '12,346'],
  ])('writes %d ms as %s', (value, text) => {
    expect(milliseconds(value)).toBe(text);
  });

  it.each([
    [0, '0'],
    [0.25, '0.3'],
    [1_234.5, '1,235'],
  ])('writes a rate of %d as %s', (value, text) => {
    expect(perSecond(value)).toBe(text);
  });

  it('uses the singular for one', () => {
    expect([counted(1n, 'client'), counted(2n, 'client'), counted(2, 'miss', 'misses')]).toEqual([
      '1 client',
      '2 clients',
      '2 misses',
    ]);
  });
});
