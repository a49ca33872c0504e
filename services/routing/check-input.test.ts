import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RouterError } from '../core/errors.ts';
import { type InputSpec, type TensorInput, firstNotFinite, validateInput } from './check-input.ts';

const constant: InputSpec = { kind: 'constant', shape: [3], size: 3 };
const image: InputSpec = { kind: 'constant', shape: [2, 2], size: 4 };
const series: InputSpec = { kind: 'series', shape: [2], size: 2 };

function input(shape: number[], values: number[], over: Partial<TensorInput> = {}): TensorInput {
  return { field: 'tensor', shape, dtype: 'FP32', data: Buffer.from(new Float32Array(values).buffer), ...over };
}

const halves = (...bits: number[]): Buffer => Buffer.from(Uint16Array.from(bits).buffer);

function refusal(spec: InputSpec, raw: TensorInput): [kind: string, field: string | undefined] {
  try {
    validateInput(raw, spec);
  } catch (error) {
    if (error instanceof RouterError) return [error.kind, error.violation?.field];
    throw error;
  }
  return ['accepted', undefined];
}

describe('validateInput accepts', () => {
  it.each([
    ['a constant of the model’s length', constant, [3]],
    ['a constant in the model’s own shape', image, [2, 2]],
    ['a flat constant', image, [4]],
    ['a series of any length', series, [5, 2]],
  ])('%s', (_name, spec, shape) => {
    const elements = shape.reduce((a, b) => a * b, 1);
    expect(refusal(spec, input(shape, Array<number>(elements).fill(1)))).toEqual(['accepted', undefined]);
  });
});

it('validateInput converts INT8 to binary32', () => {
  const raw = input([3], [], { dtype: 'INT8', data: Buffer.of(1, 0xff, 0) });
  expect([...new Float32Array(Uint8Array.from(validateInput(raw, constant)).buffer)]).toEqual([1, -1, 0]);
});

describe('validateInput refuses, with the kind and the field of the error', () => {
  it.each<[string, InputSpec, TensorInput, string, string]>([
    ['too few elements', constant, input([2], [1, 2], { field: 'encoding' }), 'INPUT_LENGTH', 'encoding'],
    ['data shorter than its shape', constant, input([3], [1, 2]), 'INPUT_LENGTH', 'tensor.data'],
    ['an empty input', constant, input([0], [], { field: 'encoding' }), 'INPUT_MISSING', 'encoding'],
    [
      'a series for a model that takes a constant',
      constant,
      input([2, 3], [1, 2, 3, 4, 5, 6]),
      'INPUT_KIND',
      'tensor.shape',
    ],
    ['a constant for a model that takes a series', series, input([2], [1, 2]), 'INPUT_KIND', 'tensor.shape'],
    ['a scalar shape', constant, input([], [1]), 'INPUT_LENGTH', 'tensor.shape'],
    ['NaN', constant, input([3], [1, NaN, 3], { field: 'encoding' }), 'INPUT_NOT_FINITE', 'encoding[1]'],
    ['infinity', constant, input([3], [1, 2, -Infinity]), 'INPUT_NOT_FINITE', 'tensor.data[2]'],
    [
      'NaN of FP16',
      constant,
      input([3], [], { dtype: 'FP16', data: halves(0, 0x7e00, 0) }),
      'INPUT_NOT_FINITE',
      'tensor.data[1]',
    ],
    [
      'too few bytes of FP16',
      constant,
      input([3], [], { dtype: 'FP16', data: halves(0, 0) }),
      'INPUT_LENGTH',
      'tensor.data',
    ],
    ['too many bytes of INT8', constant, input([3], [1, 2, 3], { dtype: 'INT8' }), 'INPUT_LENGTH', 'tensor.data'],
    [
      'a BOOL that is neither 0 nor 1',
      constant,
      input([3], [], { dtype: 'BOOL', data: Buffer.of(0, 1, 2) }),
      'INVALID_FIELD',
      'tensor.data[2]',
    ],
    ['an unknown dtype', constant, input([3], [1, 2, 3], { dtype: 'FP64' }), 'INPUT_DTYPE', 'tensor.dtype'],
    [
      'a length that is not a multiple of 4 bytes',
      constant,
      input([3], [], { data: Buffer.alloc(11) }),
      'INPUT_LENGTH',
      'tensor.data',
    ],
    [
      'a series that is too long',
      { kind: 'series', shape: [1], size: 1 },
      input([100_001, 1], [1]),
      'INPUT_STEPS',
      'tensor.shape',
    ],
  ])('%s', (_name, spec, raw, kind, field) => {
    expect(refusal(spec, raw)).toEqual([kind, field]);
  });

  it('a shape with more elements than 32 bits can count', () => {
    expect(refusal(series, input([65_536, 65_536], [1, 2]))[0]).toBe('INPUT_LENGTH');
  });
});

describe('firstNotFinite', () => {
  it('agrees with Number.isFinite for every bit pattern', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 64 }), (bytes) => {
        const whole = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 4)));
        const values = Array.from({ length: whole.length / 4 }, (_, k) => whole.readFloatLE(k * 4));
        expect(firstNotFinite(whole)).toBe(values.findIndex((value) => !Number.isFinite(value)));
      }),
      { numRuns: 2_000 },
    );
  });

  it('finds the last element of a long series', () => {
    const values = new Float32Array(10_000).fill(1);
    values[9_999] = NaN;
    expect(firstNotFinite(Buffer.from(values.buffer))).toBe(9_999);
    values[9_999] = 1;
    expect(firstNotFinite(Buffer.from(values.buffer))).toBe(-1);
  });
});
