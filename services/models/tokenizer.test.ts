import { describe, expect, it } from '@jest/globals';
import { MAX_TEXT_BYTES, Tokenizer } from './tokenizer.ts';

const WORDS = ['[UNK]', 'a', 'small', 'furry', 'animal', '##s', 'caf', '##e', 'fi', ','];

interface TokenizerFile {
  normalizer: object | null;
  pre_tokenizer: object;
  added_tokens: readonly unknown[];
  model: Record<string, unknown>;
}

const FILE: TokenizerFile = {
  normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  added_tokens: [],
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(WORDS.map((word, id) => [word, id])),
  },
};

function tokenizer(file: object = FILE): Tokenizer {
  return new Tokenizer(Buffer.from(JSON.stringify(file)));
}

function words(text: string): string {
  return tokenizer()
    .encode(text)
    .map((id) => WORDS[id])
    .join(' ');
}

function shares(text: string): Record<string, number> {
  const data = tokenizer().bag(text);
  return Object.fromEntries(
    WORDS.map((word, id) => [word, data.readFloatLE(id * 4)] as const).filter(([, share]) => share !== 0),
  );
}

describe('Tokenizer', () => {
  it('splits a text into words and subwords', () => {
    expect(words('A small, FURRY animals')).toBe('a small , furry animal ##s');
  });

  it('treats all Unicode forms of a text as equal', () => {
    expect(words('cafe\u0301')).toBe('caf ##e');
    expect(words('caf\u00e9')).toBe('caf ##e');
    expect(words('\ufb01')).toBe('fi');
    expect(words('\uff41')).toBe('a');
  });

  it('returns the share of each token in binary32', () => {
    expect(shares('a small a')).toEqual({ a: Math.fround(2 / 3), small: Math.fround(1 / 3) });
  });

  it('counts an unknown word as the unknown token', () => {
    expect(shares('a zebra')).toEqual({ '[UNK]': 0.5, a: 0.5 });
  });

  it('ignores the order of words', () => {
    expect(tokenizer().bag('furry a small')).toEqual(tokenizer().bag('small furry a'));
  });

  it.each(['', '   ', '\n\t', '\u200b'])('refuses %j, which has no token', (text) => {
    expect(() => tokenizer().bag(text)).toThrow(expect.objectContaining({ kind: 'TEXT_EMPTY' }));
  });

  it('accepts a text of the maximum length and refuses one byte more', () => {
    const longest = 'a '.repeat(MAX_TEXT_BYTES / 2);
    expect(shares(longest)).toEqual({ a: 1 });
    expect(() => tokenizer().bag(`${longest}a`)).toThrow(/8193 bytes, the limit is 8192/);
  });

  it.each([
    ['a custom regular expression', { ...FILE, pre_tokenizer: { type: 'Split' } }, /pre_tokenizer\.type/],
    ['another normalizer', { ...FILE, normalizer: { type: 'Replace' } }, /normalizer\.type/],
    ['another model', { ...FILE, model: { ...FILE.model, type: 'BPE' } }, /model\.type/],
    ['added tokens', { ...FILE, added_tokens: [{ id: 0, content: 'a' }] }, /added_tokens/],
    ['a repeated id', { ...FILE, model: { ...FILE.model, vocab: { '[UNK]': 0, a: 0 } } }, /model\.vocab: its 2 ids/],
    ['an id that is too high', { ...FILE, model: { ...FILE.model, vocab: { '[UNK]': 7 } } }, /must be 0 to 0/],
    ['no unknown token', { ...FILE, model: { ...FILE.model, unk_token: 'none' } }, /unk_token: "none"/],
  ])('refuses a file with %s', (_, file, why) => {
    expect(() => tokenizer(file)).toThrow(why);
  });

  it('refuses a file that is not JSON', () => {
    expect(() => new Tokenizer(Buffer.from('{'))).toThrow(/JSON/);
  });
});
