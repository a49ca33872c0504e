import { describe, expect, it } from '@jest/globals';
import { printable } from './printable.ts';

describe('printable', () => {
  it.each([
    ['control characters', 'a\u001b[31m\r\nb', 'a?[31m??b'],
    ['direction marks', 'a\u202eb\u2066c', 'a?b?c'],
    ['line separators', 'a\u2028b\u2029c', 'a?b?c'],
    ['half a surrogate pair', 'a\ud800', 'a?'],
  ])('replaces %s', (_, text, shown) => {
    expect(printable(text, 100)).toBe(shown);
  });

  it('keeps letters of any language and truncates to the limit', () => {
    expect(printable('Überprüfung 検査 🙂', 100)).toBe('Überprüfung 検査 🙂');
    expect(printable('abcdef', 3)).toBe('abc');
  });
});
