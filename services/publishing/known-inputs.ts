// Inputs that an engine must answer correctly before it serves a version: the version's golden vectors or, if it has
// none, generated inputs with the answers on which all engines agree.
import type { InferenceInput } from '../core/inference.ts';
import type { KnownAnswer } from '../engines/known-answers.ts';
import type { PinnedModel } from '../engines/model-pins.ts';
import type { ModelVersion } from '../models/repository.ts';

/** Steps of a generated series. */
const STEPS = 16;

/** The version's golden vectors. */
export function knownAnswers({ golden }: ModelVersion, pin: PinnedModel): KnownAnswer[] {
  return golden.map(({ data, shape, ...digests }) => ({
    input: { ...inputOf(pin, data), shape: shape ?? [pin.inputSize] },
    ...digests,
  }));
}

/** Generated inputs, always the same for a model: values between 0 and 1, with more zeros in later inputs. */
export function madeUpInputs(pin: PinnedModel, count: number): InferenceInput[] {
  const steps = pin.inputKind === 'series' ? STEPS : 1;
  let random = 1;
  const next = (): number => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    return random / 2 ** 32;
  };
  return Array.from({ length: count }, (_, index) => {
    const values = Float32Array.from({ length: steps * pin.inputSize }, () =>
      next() < index / (count + 1) ? 0 : next(),
    );
    return inputOf(pin, new Uint8Array(values.buffer));
  });
}

function inputOf({ name, version, inputKind, inputSize }: PinnedModel, data: Uint8Array): InferenceInput {
  const steps = data.length / 4 / inputSize;
  return { model: name, version, shape: inputKind === 'series' ? [steps, inputSize] : [inputSize], data };
}
