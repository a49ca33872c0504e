import { describe, expect, it } from '@jest/globals';
import { randomWord } from './threefry.ts';

describe('randomWord', () => {
  it.each([
    [0, 0, 0, 0, 0x6b200159],
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x1cb996fc],
    [0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3, 0xc4923a9c],
  ])('matches the known answers of Random123 (key %d %d, counter %d %d)', (key0, key1, c0, c1, word) => {
    expect(randomWord(key0, key1, c0, c1)).toBe(word);
  });
});
