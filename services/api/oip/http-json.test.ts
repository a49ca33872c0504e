import { describe, expect, it } from '@jest/globals';
import { RouterError } from '../../core/errors.ts';
import { InferTensorContents, ModelInferResponse } from '../../generated/inference/grpc_service.ts';
import { type InferBody, parseInfer, splitBody, stringify, writeInfer } from './http-json.ts';

const NO_BYTES = Buffer.alloc(0);

/** The field of the refusal; undefined: it is not refused. */
function fieldOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof RouterError && thrown.kind === 'INVALID_FIELD') return thrown.violation?.field;
    throw thrown;
  }
  return undefined;
}

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

it('a tensor in JSON may have 65,536 texts, and no more', () => {
  const texts = Array.from({ length: 65_536 }, () => '');
  expect(contentsOf('BYTES', texts)).toMatchObject({ bytesContents: { length: 65_536 } });
  expect(fieldOf(() => contentsOf('BYTES', [...texts, '']))).toBe('inputs[0].data');
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

  it('takes the bytes of several inputs one after the other', () => {
    const input = { datatype: 'UINT8', shape: [1], parameters: { binary_data_size: 1 } };
    const { request } = parseInfer({ json: { inputs: [input, input] }, binary: Buffer.of(1, 2) }, 'm', '1');
    expect(request.rawInputContents).toEqual([Buffer.of(1), Buffer.of(2)]);
    expect(request.inputs.map(({ contents }) => contents)).toEqual([undefined, undefined]);
  });
});

describe('the body of a request', () => {
  const body = Buffer.concat([Buffer.from('{"a":1}'), Buffer.of(1, 2)]);

  it('is JSON up to the length in its header, and bytes after that', () => {
    expect(splitBody(body, 7)).toEqual({ json: { a: 1 }, binary: Buffer.of(1, 2) });
  });

  it.each([NaN, 7])('may be JSON only: %d', (headerBytes) => {
    expect(splitBody(body.subarray(0, 7), headerBytes)).toEqual({ json: { a: 1 }, binary: NO_BYTES });
  });

  it.each([-1, 10, 0.5, Infinity])('is refused if the header says %d', (headerBytes) => {
    expect(fieldOf(() => splitBody(body, headerBytes))).toBe('Inference-Header-Content-Length');
  });

  it.each([0, 6, NaN])('is refused if its JSON is not valid: %d bytes of it', (headerBytes) => {
    expect(fieldOf(() => splitBody(body, headerBytes))).toBe('body');
  });
});

describe('an inference in JSON', () => {
  const parse = (json: unknown, binary = NO_BYTES) => parseInfer({ json, binary }, 'm', '1');
  const withInput = (over: object): object => ({
    inputs: [{ name: 'input', datatype: 'FP32', shape: [1], data: [1], ...over }],
  });

  it('becomes the request of gRPC', () => {
    const { request } = parse({
      ...{ id: 'q', parameters: { a: 'b', c: 2, d: true }, outputs: [{ name: 'label' }] },
      ...withInput({ shape: [2, 1], data: [[1], [2]] }),
    });
    expect(request).toMatchObject({
      ...{ modelName: 'm', modelVersion: '1', id: 'q', outputs: [{ name: 'label', parameters: {} }] },
      parameters: {
        a: { parameterChoice: { $case: 'stringParam', value: 'b' } },
        c: { parameterChoice: { $case: 'doubleParam', value: 2 } },
        d: { parameterChoice: { $case: 'boolParam', value: true } },
      },
      inputs: [{ name: 'input', datatype: 'FP32', shape: [2n, 1n], contents: { fp32Contents: [1, 2] } }],
    });
  });

  it('may leave out its id, its parameters, its outputs and the name of an input', () => {
    const { request } = parse(withInput({ name: undefined }));
    expect(request).toMatchObject({ id: '', parameters: {}, outputs: [], inputs: [{ name: '' }] });
  });

  it.each<[string, unknown, RegExp]>([
    ['body', [], /^body must be an object$/],
    ['body', null, /^body must be an object$/],
    ['body', 'text', /^body must be an object$/],
    ['id', { id: 5 }, /^id must be a text$/],
    ['parameters', { parameters: [] }, /^parameters must be an object$/],
    ['parameters.a', { parameters: { a: {} } }, /^parameters\.a is an object; send a text/],
    ['parameters.a', { parameters: { a: [] } }, /^parameters\.a is a list; send a text/],
    ['parameters.a', { parameters: { a: null } }, /^parameters\.a is null; send a text/],
    ['inputs', {}, /^inputs must be a list$/],
    ['inputs[0]', { inputs: [5] }, /^inputs\[0\] must be an object$/],
    ['inputs[0].name', withInput({ name: 5 }), /must be a text/],
    ['inputs[0].datatype', withInput({ datatype: 5 }), /must be a text/],
    ['inputs[0].datatype', withInput({ datatype: 'FP16' }), /^datatype "FP16" needs binary data; as JSON: BYTES, BOOL/],
    ['inputs[0].datatype', withInput({ datatype: 'toString' }), /^datatype "toString" needs binary data/],
    ['inputs[0].shape', withInput({ shape: 1 }), /must be a list/],
    ['inputs[0].shape', withInput({ shape: [1.5] }), /a shape is a list of whole numbers/],
    ['inputs[0].data', withInput({ data: 1 }), /must be a list/],
    ['inputs[0].data[1]', withInput({ data: [1, 'a'] }), /^element 1 is "a", and no FP32$/],
    ['inputs[0].data[0]', withInput({ data: ['a'] }), /^element 0 is "a"/],
    ['inputs[0].data[0]', withInput({ data: [{}] }), /^element 0 is an object/],
    ['inputs[0].data[0]', withInput({ data: [null] }), /^element 0 is null/],
    ['inputs[0].parameters', withInput({ parameters: 5 }), /must be an object/],
    [
      'inputs[0].parameters.binary_data_size',
      withInput({ parameters: { binary_data_size: 1 } }),
      /^binary_data_size 1 is not in the body$/,
    ],
    ['outputs', { ...withInput({}), outputs: 5 }, /must be a list/],
    ['outputs[0].name', { ...withInput({}), outputs: [{ name: 5 }] }, /must be a text/],
    ['outputs[0].parameters', { ...withInput({}), outputs: [{ parameters: 5 }] }, /must be an object/],
  ])('is refused with the invalid field %s: %j', (field, json, message) => {
    expect(fieldOf(() => parse(json))).toBe(field);
    expect(() => parse(json)).toThrow(message);
  });

  it.each([
    [64, true],
    [65, false],
  ])('may have its data in %d more lists: %p', (depth, isAccepted) => {
    let data: unknown = [1];
    for (let level = 0; level < depth; level += 1) data = [data];
    expect(fieldOf(() => parse(withInput({ data })))).toBe(isAccepted ? undefined : 'inputs[0].data[0]');
  });

  it.each<[string, object, 'ALL' | string[]]>([
    ['no outputs', {}, []],
    ['all outputs', { parameters: { binary_data_output: true } }, 'ALL'],
    ['the outputs that ask for it', { outputs: [{ name: 'scores', parameters: { binary_data: true } }] }, ['scores']],
    [
      'no output that does not ask for it',
      { outputs: [{ name: 'scores', parameters: { binary_data: false } }, { name: 'label' }] },
      [],
    ],
  ])('wants %s as bytes', (_, over, expected) => {
    const { binaryOutputs } = parse({ ...withInput({}), ...over });
    expect(binaryOutputs).toEqual(expected);
  });
});

describe('an answer in JSON', () => {
  const tensor = (name: string, datatype: string, contents: Partial<InferTensorContents>) => ({
    ...{ name, datatype, shape: [2n], parameters: {} },
    contents: InferTensorContents.fromPartial(contents),
  });
  const write = (outputs: ModelInferResponse['outputs'], isBinary = false, over: Partial<ModelInferResponse> = {}) => {
    const response = ModelInferResponse.fromPartial({ modelName: 'm', modelVersion: '3', outputs, ...over });
    const { json, binary } = writeInfer(response, isBinary ? 'ALL' : []);
    return { json: JSON.parse(json) as Record<string, unknown>, text: json, binary };
  };

  it('has the model, its parameters and its outputs', () => {
    const parameters = { grade: { parameterChoice: { $case: 'stringParam' as const, value: 'A' } } };
    const { json, binary } = write([tensor('scores', 'FP32', { fp32Contents: [1, 2] })], false, { parameters });
    expect(json).toEqual({
      ...{ model_name: 'm', model_version: '3', parameters: { grade: 'A' } },
      outputs: [{ name: 'scores', datatype: 'FP32', shape: [2], data: [1, 2] }],
    });
    expect(binary).toEqual([]);
  });

  it('has the id of its request', () => {
    expect(write([], false, { id: 'q' }).json['id']).toBe('q');
  });

  it.each<[string, Partial<InferTensorContents>, unknown[]]>([
    ['BYTES', { bytesContents: [Buffer.from('a'), Buffer.from('é')] }, ['a', 'é']],
    ['UINT32', { uintContents: [1, 2] }, [1, 2]],
    ['UINT64', { uint64Contents: [1n, 2n] }, [1, 2]],
    ['FP32', {}, []],
  ])('lists the elements of datatype %s', (datatype, contents, data) => {
    expect(write([tensor('x', datatype, contents)]).json).toMatchObject({ outputs: [{ data }] });
  });

  it('keeps every digit of 64-bit integers', () => {
    expect(write([tensor('x', 'UINT64', { uint64Contents: [2n ** 64n - 1n] })]).text).toContain(
      '[18446744073709551615]',
    );
    expect(stringify({ a: 1, b: 2n ** 63n })).toBe('{"a":1,"b":9223372036854775808}');
  });

  it('has the bytes of its outputs in their order', () => {
    const outputs = [
      tensor('x', 'UINT32', { uintContents: [1] }),
      tensor('y', 'BYTES', { bytesContents: [Buffer.from('a')] }),
    ];
    const { json, binary } = write(outputs, true);
    expect(json['outputs']).toEqual([
      { name: 'x', datatype: 'UINT32', shape: [2], parameters: { binary_data_size: 4 } },
      { name: 'y', datatype: 'BYTES', shape: [2], parameters: { binary_data_size: 5 } },
    ]);
    expect(binary).toEqual([Buffer.of(1, 0, 0, 0), Buffer.of(1, 0, 0, 0, 97)]);
  });
});
