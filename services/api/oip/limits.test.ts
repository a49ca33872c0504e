import { describe, expect, it } from '@jest/globals';
import { ModelInferRequest } from '../../generated/inference/grpc_service.ts';
import type { Check } from '../request-limits.ts';
import { checkModelInfer, checkModelName, checkRepository } from './limits.ts';

/** A message with this field, empty, `times` times. */
function repeated(field: number, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => Buffer.from([(field << 3) | 2, 0])));
}

/** `checkModelInfer` for a message inside this field. */
const inField =
  (field: number): Check =>
  (bytes) =>
    checkModelInfer(Buffer.concat([Buffer.from([(field << 3) | 2, bytes.length | 128, bytes.length >> 7]), bytes]));
const checkInput = inField(5);
const checkOutput = inField(6);

describe('a request of the Open Inference Protocol', () => {
  it.each<[string, number, string, number, Check]>([
    ['a model', 1, 'name', 1, checkModelName],
    ['a model', 1, 'version', 2, checkModelName],
    ['an inference', 1, 'model_name', 1, checkModelInfer],
    ['an inference', 1, 'model_version', 2, checkModelInfer],
    ['an inference', 1, 'id', 3, checkModelInfer],
    ['an inference', 64, 'parameters', 4, checkModelInfer],
    ['an inference', 16, 'inputs', 5, checkModelInfer],
    ['an inference', 16, 'outputs', 6, checkModelInfer],
    ['an inference', 16, 'raw_input_contents', 7, checkModelInfer],
    ['an input tensor', 1, 'inputs.name', 1, checkInput],
    ['an input tensor', 1, 'inputs.datatype', 2, checkInput],
    ['an input tensor', 64, 'inputs.shape', 3, checkInput],
    ['an input tensor', 64, 'parameters', 4, checkInput],
    ['an input tensor', 1, 'inputs.contents', 5, checkInput],
    ['an output tensor', 1, 'outputs.name', 1, checkOutput],
    ['an output tensor', 64, 'parameters', 2, checkOutput],
    ['a repository', 1, 'repository_name', 1, checkRepository],
    ['a repository', 1, 'model_name', 2, checkRepository],
    ['a repository', 64, 'parameters', 3, checkRepository],
  ])('for %s may have %d of %s, and no more', (_, times, name, field, check) => {
    expect(() => check(repeated(field, times))).not.toThrow();
    expect(() => check(repeated(field, times + 1))).toThrow(`more than ${times} ${name}`);
  });

  it.each(['intContents', 'uintContents', 'boolContents'])(
    'for an input may have 262,144 numbers in %s, no more',
    (list) => {
      const request = (count: number): Uint8Array => {
        const contents = { [list]: Array.from({ length: count }, () => 1) };
        return ModelInferRequest.encode(ModelInferRequest.fromPartial({ inputs: [{ contents }] })).finish();
      };
      expect(() => checkModelInfer(request(262_144))).not.toThrow();
      expect(() => checkModelInfer(request(262_145))).toThrow(/more than 262144 inputs.contents/);
    },
  );
});
