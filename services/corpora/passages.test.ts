import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_PASSAGE_CHARS } from './limits.ts';
import { passagesOf } from './passages.ts';

const squeezed = (text: string): string => text.replace(/\s+/g, '');

describe('passagesOf', () => {
  it('returns whole paragraphs, as many as fit', () => {
    const long = 'word '.repeat(150).trim();
    expect(passagesOf(`One.\n\nTwo.\n \n${long}\n\n${long}`)).toEqual([`One.\n\nTwo.\n\n${long}`, long]);
  });

  it('splits a long paragraph after a sentence', () => {
    const [first] = passagesOf(`${'a'.repeat(700)}. ${'b'.repeat(700)}.`);
    expect(first).toBe(`${'a'.repeat(700)}.`);
  });

  it.each(['', '  \n\n \t\n'])('returns nothing for %j', (text) => {
    expect(passagesOf(text)).toEqual([]);
  });

  it('loses no character, splits none and respects the maximum length', () => {
    const part = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('\n\n', '. ', ' ', '😀'.repeat(700)));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
        const text = parts.join('');
        const passages = passagesOf(text);
        expect(squeezed(passages.join(''))).toBe(squeezed(text));
        for (const passage of passages) {
          expect(passage.length).toBeLessThanOrEqual(MAX_PASSAGE_CHARS);
          expect(passage.isWellFormed()).toBe(text.isWellFormed());
        }
      }),
    );
  });
});
