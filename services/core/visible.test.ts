import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { visible, visibleJson, visibleLines } from './visible.ts';

describe('visible text', () => {
  it.each([
    ['escapes the sequence that clears the screen', '\x1b[2J', '\\u{1b}[2J'],
    ['escapes the sequence that sets the window title', '\x1b]0;root\x07', '\\u{1b}]0;root\\u{7}'],
    ['escapes a one-byte control sequence', '\x9b2J', '\\u{9b}2J'],
    ['escapes a change of text direction', 'abc\u202egpj.exe', 'abc\\u{202e}gpj.exe'],
    ['escapes direction marks', 'a\u200fb\u061cc\u2066d', 'a\\u{200f}b\\u{61c}c\\u{2066}d'],
    ['escapes an invisible character', 'engine\u200b-1', 'engine\\u{200b}-1'],
    ['escapes a line break', 'a\nengine ready', 'a\\u{a}engine ready'],
    ['escapes a Unicode line separator', 'a\u2028b', 'a\\u{2028}b'],
    ['escapes half a surrogate pair', '\ud800', '\\u{d800}'],
    ['keeps letters, symbols and emoji', 'Größe 10 µm – 漢字 🙂', 'Größe 10 µm – 漢字 🙂'],
  ])('%s', (_what, text, shown) => expect(visible(text)).toBe(shown));

  it('keeps line breaks and styles in visibleLines', () => {
    expect(visibleLines('\x1b[31mred\x1b[39m\n\tx \x1b[2K \x1b]8;;http://x\x07')).toBe(
      '\x1b[31mred\x1b[39m\n\tx \\u{1b}[2K \\u{1b}]8;;http://x\\u{7}',
    );
  });

  it('has the same meaning in visibleJson', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
        const json = visibleJson(JSON.stringify({ value, text, [text]: '\u202e\u{e0001}' }, null, 2));
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify({ value, text, [text]: '\u202e\u{e0001}' })));
        expect(json).not.toMatch(/(?!\n)\p{C}/u);
      }),
    );
  });
});
