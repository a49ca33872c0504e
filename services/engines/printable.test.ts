import { describe, expect, it } from '@jest/globals';
import { printable } from './printable.ts';

describe('a text from outside', () => {
  it.each([
    ['control characters', 'a\u001b[31m\r\nb', 'a?[31m??b'],
    ['marks of direction', 'a\u202eb\u2066c', 'a?b?c'],
    ['separators of lines', 'a\u2028b\u2029c', 'a?b?c'],
    ['half a character', 'a\ud800', 'a?'],
  ])('is shown without %s', (_, text, shown) => {
    expect(printable(text, 100)).toBe(shown);
  });

  it('keeps letters of any language, and is cut where it is too long', () => {
    expect(printable('Überprüfung 検査 🙂', 100)).toBe('Überprüfung 検査 🙂');
    expect(printable('abcdef', 3)).toBe('abc');
  });
});
