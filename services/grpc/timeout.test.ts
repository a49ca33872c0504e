import { describe, expect, it } from '@jest/globals';
import { formatTimeout, parseTimeout } from './timeout.ts';

describe('grpc-timeout', () => {
  it.each([
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['3S', 3_000],
    ['250m', 250],
    ['99999999m', 99_999_999],
    ['1500u', 1.5],
    ['500000n', 0.5],
    ['0m', 0],
  ])('reads %s as %d ms', (text, ms) => {
    expect(parseTimeout(text)).toBeCloseTo(ms, 9);
  });

  it.each(['', '1', 'S', '1s', '-1S', '1.5S', '123456789m', '1S ', ' 1S', '+1S'])('ignores the invalid %j', (text) => {
    expect(parseTimeout(text)).toBeUndefined();
  });

  it.each([
    [1_000, '1000m'],
    [0.2, '1m'],
    [-5, '1m'],
    [1.01, '2m'],
    [99_999_999, '99999999m'],
    [100_000_001, '100001S'],
    [1e15, '99999999H'],
  ])('formats %d ms as %s', (ms, text) => {
    expect(formatTimeout(ms)).toBe(text);
  });
});
