import { describe, expect, it } from '@jest/globals';
import { RouterError } from '../../core/errors.ts';
import { type InferBody, parseInfer } from './http-json.ts';

const NO_BYTES = Buffer.alloc(0);

function contentsOf(datatype: string, data: unknown): unknown {
  const json = { inputs: [{ name: 'input', datatype, shape: [2], data }] };
  const { request } = parseInfer({ json, binary: NO_BYTES }, 'm', '1');
  return request.inputs[0]!.contents;
}

describe('a tensor in JSON', () => {
  it.each<[string, unknown, object]>([
    ['FP32', [0.5, 2], { fp32Contents: [0.5, 2] }],
    ['UINT8', [[1], [2]], { uintContents: [1, 2] }],
    ['INT8', [-1, 2], { intContents: [-1, 2] }],
    ['BOOL', [true, false], { boolContents: [true, false] }],
    ['BYTES', ['a', 'b'], { bytesContents: [Buffer.from('a'), Buffer.from('b')] }],
  ])('accepts elements of datatype %s', (datatype, data, contents) => {
    expect(contentsOf(datatype, data)).toMatchObject(contents);
  });

  it.each<[string, unknown]>([
    ['FP32', [1, true]],
    ['BOOL', [true, 1]],
    ['BYTES', ['a', 1]],
  ])('refuses an element that is not of datatype %s, and names it', (datatype, data) => {
    expect(() => contentsOf(datatype, data)).toThrow(RouterError);
    expect(() => contentsOf(datatype, data)).toThrow(/^element 1 is/);
  });
});

describe('a tensor as bytes after the JSON', () => {
  const body = (binary_data_size: unknown): InferBody => {
    const parameters = { binary_data_size };
    return {
      json: { inputs: [{ name: 'input', datatype: 'UINT8', shape: [2], parameters }] },
      binary: Buffer.of(1, 2),
    };
  };

  it.each([0, 1, 2])('takes the %d bytes that it announces', (size) => {
    const { request } = parseInfer(body(size), 'm', '1');
    expect(request.rawInputContents).toEqual([Buffer.of(1, 2).subarray(0, size)]);
  });

  it.each([-1, 3, 0.5, '2'])('refuses %p bytes if the body has 2', (size) => {
    expect(() => parseInfer(body(size), 'm', '1')).toThrow(/is not in the body/);
  });
});
