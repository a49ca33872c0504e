import { describe, expect, it } from '@jest/globals';
import { type InferTensorContents, ModelInferRequest } from '../../generated/inference/grpc_service.ts';
import type { Tensor } from '../../generated/tandem/v1/reasoning.ts';
import { RouterError } from '../../core/errors.ts';
import { type ItemInput, type ItemShape, readItems, textParameter } from './input.ts';

const CONSTANT: ItemShape = { kind: 'constant', shape: [3] };
const SERIES: ItemShape = { kind: 'series', shape: [2, 2] };

function request(shape: number[], data: Uint8Array, datatype = 'FP32', name = 'input'): ModelInferRequest {
  return ModelInferRequest.fromPartial({
    inputs: [{ name, datatype, shape: shape.map(BigInt) }],
    rawInputContents: [data],
  });
}

const inputsOf = (count: number): ModelInferRequest =>
  ModelInferRequest.fromPartial({
    inputs: Array.from({ length: count }, () => ({ name: 'input', datatype: 'FP32', shape: [3n] })),
    rawInputContents: [new Uint8Array(12)],
  });

function tensorOf(input: ItemInput): Tensor {
  if ('tensor' in input) return input.tensor;
  throw new Error('the input is a text');
}

function fieldOf(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof RouterError) return thrown.violation?.field ?? thrown.kind;
    throw thrown;
  }
  return 'no error';
}

describe('readItems', () => {
  it('accepts texts under the names "input" and "text"', () => {
    for (const name of ['input', 'text']) {
      const raw = Buffer.concat([Buffer.of(1, 0, 0, 0), Buffer.from('a')]);
      expect(readItems(request([1, 1], raw, 'BYTES', name), CONSTANT, 8)).toEqual({
        isBatch: true,
        inputs: [{ text: 'a' }],
      });
    }
  });

  it('reads the shape of the model as one item', () => {
    const { isBatch, inputs } = readItems(request([3], new Uint8Array(12)), CONSTANT, 8);
    expect([isBatch, inputs.map((each) => [tensorOf(each).shape, tensorOf(each).data.length])]).toEqual([
      false,
      [[[3], 12]],
    ]);
  });

  it('splits a batch by its first dimension', () => {
    const data = Uint8Array.from({ length: 24 }, (_, index) => index);
    const { isBatch, inputs } = readItems(request([2, 3], data), CONSTANT, 8);
    expect(isBatch).toBe(true);
    expect(inputs.map((each) => tensorOf(each).data[0])).toEqual([0, 12]);
  });

  it('accepts a series of any length, alone and in a batch', () => {
    expect(readItems(request([5, 2, 2], new Uint8Array(80)), SERIES, 8)).toMatchObject({ isBatch: false });
    const { inputs } = readItems(request([2, 5, 2, 2], new Uint8Array(160)), SERIES, 8);
    expect(inputs.map((each) => tensorOf(each).shape)).toEqual([
      [5, 2, 2],
      [5, 2, 2],
    ]);
  });

  it('packs numbers that are not raw', () => {
    const message = ModelInferRequest.fromPartial({
      inputs: [{ name: 'input', datatype: 'FP32', shape: [3n], contents: { fp32Contents: [1, 2, 3] } }],
    });
    const { data } = tensorOf(readItems(message, CONSTANT, 8).inputs[0]!);
    expect([...new Float32Array(data.slice().buffer)]).toEqual([1, 2, 3]);
  });

  it.each<[string, Partial<InferTensorContents>, number[]]>([
    ['INT8', { intContents: [-1, 2, 3] }, [255, 2, 3]],
    ['UINT8', { uintContents: [1, 255, 3] }, [1, 255, 3]],
    ['BOOL', { boolContents: [true, false, true] }, [1, 0, 1]],
  ])('packs %s as one byte for each element', (datatype, contents, expected) => {
    const message = ModelInferRequest.fromPartial({ inputs: [{ name: 'input', datatype, shape: [3n], contents }] });
    const { dtype, data } = tensorOf(readItems(message, CONSTANT, 8).inputs[0]!);
    expect([dtype, [...data]]).toEqual([datatype, expected]);
  });

  it('accepts as many items as a batch may have', () => {
    expect(readItems(request([8, 3], new Uint8Array(96)), CONSTANT, 8).inputs).toHaveLength(8);
  });

  it.each<[string, ModelInferRequest, ItemShape, RegExp]>([
    ['no input', ModelInferRequest.fromPartial({}), CONSTANT, /has 0 input tensors; send one/],
    ['bytes that do not fit', request([2, 3], new Uint8Array(23)), CONSTANT, /is 24 bytes, and there are 23$/],
    ['another shape', request([4, 3, 1], new Uint8Array(48)), CONSTANT, /send \[3\] or \[batch, 3\]$/],
    ['another shape', request([2], new Uint8Array(8)), SERIES, /send \[steps, 2, 2\] or \[batch, steps, 2, 2\]$/],
    ['another type', request([3], new Uint8Array(24), 'FP64'), CONSTANT, /one of FP32, .*, BYTES \(texts\)$/],
  ])('refuses %s, and says what to send', (_, message, model, expected) => {
    expect(() => readItems(message, model, 8)).toThrow(expected);
  });

  it.each([
    ['inputs', inputsOf(2)],
    [
      'raw_input_contents',
      { ...request([3], new Uint8Array(12)), rawInputContents: [new Uint8Array(12), new Uint8Array(0)] },
    ],
    ['inputs[0].name', request([3], new Uint8Array(12), 'FP32', 'text')],
    ['inputs[0].name', request([1], Buffer.of(1, 0, 0, 0, 65), 'BYTES', 'x')],
    ['inputs[0].contents', { ...request([3], new Uint8Array(12)), rawInputContents: [] }],
    ['inputs', ModelInferRequest.fromPartial({})],
    ['inputs[0].name', request([3], new Uint8Array(12), 'FP32', 'x')],
    ['inputs[0].datatype', request([3], new Uint8Array(24), 'FP64')],
    ['inputs[0]', request([3], new Uint8Array(11))],
    ['inputs[0].shape', request([], new Uint8Array(4))],
    ['inputs[0].shape', request([0, 3], new Uint8Array(0))],
    ['inputs[0].shape', request([1, 1, 3], new Uint8Array(12))],
    ['inputs[0].shape', request([9, 3], new Uint8Array(108))],
    ['inputs[0].shape', request([2 ** 60, 3], new Uint8Array(12))],
    ['inputs[0].shape', request([-1, 3], new Uint8Array(12))],
    [
      'inputs[0].contents',
      ModelInferRequest.fromPartial({ inputs: [{ name: 'input', datatype: 'FP32', shape: [3n] }] }),
    ],
  ])('names the invalid field %s', (field, message) => {
    expect(fieldOf(() => readItems(message, CONSTANT, 8))).toBe(field);
  });
});

describe('textParameter', () => {
  it('refuses a parameter that is not text and ignores inherited names', () => {
    const parameters = { strategy: { parameterChoice: { $case: 'int64Param' as const, value: 1n } } };
    expect(fieldOf(() => textParameter(parameters, 'strategy'))).toBe('parameters.strategy');
    expect(textParameter({}, 'constructor')).toBe('');
  });
});
