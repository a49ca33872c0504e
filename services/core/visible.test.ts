import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { visible, visibleJson, visibleLines } from './visible.ts';

describe('words of others', () => {
  it.each([
    ['that clear the screen', '\x1b[2J', '\\u{1b}[2J'],
    ['that set the title of the window', '\x1b]0;root\x07', '\\u{1b}]0;root\\u{7}'],
    ['with an escape of one byte', '\x9b2J', '\\u{9b}2J'],
    ['that turn the direction', 'abc\u202egpj.exe', 'abc\\u{202e}gpj.exe'],
    ['with a mark of direction', 'a\u200fb\u061cc\u2066d', 'a\\u{200f}b\\u{61c}c\\u{2066}d'],
    ['with an invisible character', 'engine\u200b-1', 'engine\\u{200b}-1'],
    ['with another line', 'a\nengine ready', 'a\\u{a}engine ready'],
    ['with another kind of line', 'a\u2028b', 'a\\u{2028}b'],
    ['that are half a character', '\ud800', '\\u{d800}'],
    ['that are words', 'Größe 10 µm – 漢字 🙂', 'Größe 10 µm – 漢字 🙂'],
  ])('%s', (_what, text, shown) => expect(visible(text)).toBe(shown));

  it('keep lines and styles where the text is ours', () => {
    expect(visibleLines('\x1b[31mred\x1b[39m\n\tx \x1b[2K \x1b]8;;http://x\x07')).toBe(
      '\x1b[31mred\x1b[39m\n\tx \\u{1b}[2K \\u{1b}]8;;http://x\\u{7}',
    );
  });

  it('mean the same in JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
        const json = visibleJson(JSON.stringify({ value, text, [text]: '\u202e\u{e0001}' }, null, 2));
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify({ value, text, [text]: '\u202e\u{e0001}' })));
        expect(json).not.toMatch(/(?!\n)\p{C}/u);
      }),
    );
  });
});
