import { describe, expect, it } from '@jest/globals';
import { Tokenizer } from '../models/tokenizer.ts';
import type { Found } from './find-model.ts';
import { textInput } from './text-input.ts';

const FILE = {
  normalizer: { type: 'BertNormalizer', lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  model: { type: 'WordPiece', unk_token: 'u', continuing_subword_prefix: '##', vocab: { u: 0, a: 1, b: 2 } },
};

function found(size: number, kind: 'constant' | 'series', takesText = true): Found {
  const tokenizer = takesText ? new Tokenizer(Buffer.from(JSON.stringify(FILE))) : undefined;
  return { version: { name: 'm', tokenizer }, input: { kind, shape: [size], size } } as unknown as Found;
}

describe('textInput', () => {
  it('returns one number for each token of the model', () => {
    const { shape, data } = textInput(found(3, 'constant'), 'a b b b');
    expect(shape).toEqual([3]);
    expect([...new Float32Array(data.buffer, data.byteOffset, 3)]).toEqual([0, 0.25, 0.75]);
  });

  it.each([
    ['TEXT_UNSUPPORTED', found(3, 'constant', false), /model "m" has no tokenizer/],
    ['MODEL_INVALID', found(4, 'constant'), /takes 4 numbers, but its tokenizer has 3 tokens/],
    ['MODEL_INVALID', found(3, 'series'), /takes 3 numbers a step/],
  ])('fails with %s if the model cannot take the text', (kind, model, why) => {
    const run = (): unknown => textInput(model, 'a');
    expect(run).toThrow(expect.objectContaining({ kind }));
    expect(run).toThrow(why);
  });
});
