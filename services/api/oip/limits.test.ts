import { describe, expect, it } from '@jest/globals';
import type { Check } from '../request-limits.ts';
import { checkModelInfer, checkModelName, checkRepository } from './limits.ts';

/** A message with this field, of length 0, so often. */
function repeated(field: number, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => Buffer.from([(field << 3) | 2, 0])));
}

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
    ['a repository', 1, 'repository_name', 1, checkRepository],
    ['a repository', 1, 'model_name', 2, checkRepository],
    ['a repository', 64, 'parameters', 3, checkRepository],
  ])('for %s may have %d of %s', (_, times, name, field, check) => {
    expect(() => check(repeated(field, times))).not.toThrow();
    expect(() => check(repeated(field, times + 1))).toThrow(`more than ${times} ${name}`);
  });

  it.each([
    ['inputs.name', 5, 1, 1],
    ['inputs.datatype', 5, 2, 1],
    ['inputs.parameters', 5, 4, 64],
    ['inputs.contents', 5, 5, 1],
    ['outputs.name', 6, 1, 1],
    ['outputs.parameters', 6, 2, 64],
  ])('has tensors with at most so many of %s', (name, tensor, field, times) => {
    const within = (count: number): Buffer => {
      const bytes = repeated(field, count);
      return Buffer.concat([Buffer.from([(tensor << 3) | 2, bytes.length | 128, bytes.length >> 7]), bytes]);
    };
    expect(() => checkModelInfer(within(times))).not.toThrow();
    expect(() => checkModelInfer(within(times + 1))).toThrow(
      `more than ${times} ${name.endsWith('parameters') ? 'parameters' : name}`,
    );
  });
});
