// Converts a text to the input of its model.
import { RouterError } from '../core/errors.ts';
import type { Found } from './find-model.ts';

interface TextInput {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** Throws TEXT_UNSUPPORTED, MODEL_INVALID, or an error of models/tokenizer.ts. */
export function textInput({ version, input }: Pick<Found, 'version' | 'input'>, text: string): TextInput {
  const { name, tokenizer } = version;
  if (tokenizer === undefined) {
    const message = `model "${name}" has no tokenizer; send numbers, or name a model that takes text (tandem models)`;
    throw new RouterError('TEXT_UNSUPPORTED', message, { field: 'text', metadata: { model: name } });
  }
  if (tokenizer.size !== input.size || input.kind !== 'constant') {
    const takes = `${input.size} ${input.kind === 'constant' ? 'numbers' : 'numbers a step'}`;
    const message = `model "${name}" takes ${takes}, but its tokenizer has ${tokenizer.size} tokens; give it its own`;
    throw new RouterError('MODEL_INVALID', message, { field: 'model', metadata: { model: name } });
  }
  return { shape: [tokenizer.size], data: tokenizer.bag(text) };
}
