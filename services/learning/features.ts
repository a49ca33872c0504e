// The features of an input for a student: the numbers themselves, or the mean spikes per step of its base's outputs.
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import { validateInput } from '../routing/check-input.ts';
import type { Asker, TeacherQuestion } from './coordinate.ts';

/** `base`: "name/version"; empty: none. Returns an error if the input cannot be used. */
export async function featuresOf(
  question: TeacherQuestion,
  base: string,
  router: Asker,
  context: CallContext,
): Promise<Float32Array | RouterError> {
  try {
    if (base === '') return numbersOf(question);
    const [, model = '', version] = /^(.+)\/(\d+)$/.exec(base)!;
    const whole = { ...question, model, modelVersion: Number(version) };
    const { steps, spikeCounts } = (await router.reason(whole, context)).answer.inference;
    return Float32Array.from(spikeCounts, (count) => count / steps);
  } catch (thrown) {
    const error = RouterError.from(thrown);
    if (error.kind === 'INTERNAL') throw error;
    return error;
  }
}

function numbersOf({ input, text }: TeacherQuestion): Float32Array {
  if (text !== undefined) {
    const message = 'a student without a base takes numbers only; for texts, name a base that has a tokenizer';
    throw new RouterError('TEXT_UNSUPPORTED', message, { field: 'text' });
  }
  if (!('shape' in input)) {
    const message = 'a student without a base learns from numbers; send "encoding" or "tensor", or give it a base';
    throw new RouterError('INVALID_FIELD', message, { field: 'events' });
  }
  const size = input.shape.reduce((product, length) => product * length, 1);
  const data = validateInput(input, { kind: 'constant', shape: input.shape, size });
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
  return Float32Array.from({ length: size }, (_, k) => bytes.readFloatLE(k * 4));
}
