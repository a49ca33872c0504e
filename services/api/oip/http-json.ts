// Converts the Open Inference Protocol's JSON, with Triton's binary tensors after it, to and from gRPC messages.
import {
  type InferParameter,
  InferTensorContents,
  ModelInferRequest,
  type ModelInferResponse,
} from '../../generated/inference/grpc_service.ts';
import { invalid } from './errors.ts';
import { MAX_PARTS } from './limits.ts';
import { type OutputType, rawOf } from './output.ts';

/** The body of a request: JSON, and the bytes of binary tensors after it. */
export interface InferBody {
  readonly json: unknown;
  readonly binary: Buffer;
}

type Json = Readonly<Record<string, unknown>>;

const LISTS = {
  BYTES: 'bytesContents',
  BOOL: 'boolContents',
  INT8: 'intContents',
  UINT8: 'uintContents',
  FP32: 'fp32Contents',
} as const;

/** Maximum nesting of lists. Deeper ones would overflow the stack. */
const MAX_DEPTH = 64;

export interface ParsedInfer {
  readonly request: ModelInferRequest;
  /** Outputs that the caller wants as bytes. */
  readonly binaryOutputs: 'ALL' | readonly string[];
}

/** `headerBytes`: how much of the body is JSON (header Inference-Header-Content-Length); NaN: all. Throws INVALID_FIELD. */
export function splitBody(bytes: Uint8Array, headerBytes: number): InferBody {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = Number.isNaN(headerBytes) ? body.length : headerBytes;
  if (!Number.isInteger(end) || end < 0 || end > body.length) {
    const message = `header Inference-Header-Content-Length is ${end}, and the body has ${body.length} bytes`;
    throw invalid('Inference-Header-Content-Length', message);
  }
  try {
    return { json: JSON.parse(body.toString('utf8', 0, end)), binary: body.subarray(end) };
  } catch {
    throw invalid('body', 'the body is not JSON; send {"inputs": [{"name", "shape", "datatype", "data"}]}');
  }
}

/** Throws INVALID_FIELD. */
export function parseInfer({ json, binary }: InferBody, modelName: string, modelVersion: string): ParsedInfer {
  const body = object(json, 'body');
  const request = ModelInferRequest.fromPartial({ modelName, modelVersion, id: text(body['id'], 'id') });
  request.parameters = parameters(body['parameters'], 'parameters');
  let at = 0;
  for (const [index, each] of list(body['inputs'], 'inputs').entries()) {
    const where = `inputs[${index}]`;
    const input = object(each, where);
    const datatype = text(input['datatype'], `${where}.datatype`);
    const size = object(input['parameters'] ?? {}, `${where}.parameters`)['binary_data_size'];
    let contents: InferTensorContents | undefined;
    if (size === undefined) {
      contents = numbers(input['data'], datatype, `${where}.data`);
    } else {
      if (!Number.isInteger(size) || (size as number) < 0 || at + (size as number) > binary.length) {
        throw invalid(`${where}.parameters.binary_data_size`, `binary_data_size ${shown(size)} is not in the body`);
      }
      request.rawInputContents.push(binary.subarray(at, (at += size as number)));
    }
    const shape = list(input['shape'], `${where}.shape`).map((length) => {
      if (!Number.isSafeInteger(length)) throw invalid(`${where}.shape`, 'a shape is a list of whole numbers');
      return BigInt(length as number);
    });
    request.inputs.push({ name: text(input['name'], `${where}.name`), datatype, shape, parameters: {}, contents });
  }
  const asBytes: string[] = [];
  for (const [index, each] of list(body['outputs'] ?? [], 'outputs').entries()) {
    const where = `outputs[${index}]`;
    const output = object(each, where);
    const name = text(output['name'], `${where}.name`);
    if (object(output['parameters'] ?? {}, `${where}.parameters`)['binary_data'] === true) asBytes.push(name);
    request.outputs.push({ name, parameters: {} });
  }
  const { binary_data_output: all } = object(body['parameters'] ?? {}, 'parameters');
  return { request, binaryOutputs: all === true ? 'ALL' : asBytes };
}

/** `response` has its outputs as lists. */
export function writeInfer(
  { modelName, modelVersion, id, parameters: named, outputs }: ModelInferResponse,
  binaryOutputs: ParsedInfer['binaryOutputs'],
): { readonly json: string; readonly binary: readonly Buffer[] } {
  const binary: Buffer[] = [];
  const json = {
    ...{ model_name: modelName, model_version: modelVersion, ...(id === '' ? {} : { id }) },
    parameters: Object.fromEntries(
      Object.entries(named).map(([name, { parameterChoice }]) => [name, parameterChoice?.value]),
    ),
    outputs: outputs.map(({ name, datatype, shape, contents }) => {
      const shared = { name, datatype, shape: shape.map(Number) };
      const data = values(contents!);
      if (binaryOutputs !== 'ALL' && !binaryOutputs.includes(name)) return { ...shared, data };
      const bytes = rawOf(datatype as OutputType, data);
      binary.push(bytes);
      return { ...shared, parameters: { binary_data_size: bytes.length } };
    }),
  };
  return { json: stringify(json), binary };
}

/** 64-bit integers keep every digit. */
export function stringify(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? rawJson(each) : each));
}

const rawJson = (value: bigint): unknown => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(`${value}`);

function values(contents: InferTensorContents): (number | bigint | string)[] {
  const { fp32Contents, uintContents, uint64Contents, bytesContents } = contents;
  return [
    ...fp32Contents,
    ...uintContents,
    ...uint64Contents,
    ...bytesContents.map((each) => Buffer.from(each).toString()),
  ];
}

function numbers(data: unknown, datatype: string, where: string): InferTensorContents {
  if (!Object.hasOwn(LISTS, datatype)) {
    throw invalid(
      where.replace('.data', '.datatype'),
      `datatype "${datatype}" needs binary data; as JSON: ${Object.keys(LISTS).join(', ')}`,
    );
  }
  const flat = list(data, where).flat(MAX_DEPTH);
  if (datatype === 'BYTES' && flat.length > MAX_PARTS) {
    throw invalid(where, `there are ${flat.length} texts; send ${MAX_PARTS} at most in one request`);
  }
  const wanted = datatype === 'BOOL' ? 'boolean' : datatype === 'BYTES' ? 'string' : 'number';
  const bad = flat.findIndex((each) => typeof each !== wanted);
  if (bad >= 0) throw invalid(`${where}[${bad}]`, `element ${bad} is ${shown(flat[bad])}, and no ${datatype}`);
  const values = datatype === 'BYTES' ? (flat as string[]).map((each) => Buffer.from(each)) : flat;
  return InferTensorContents.fromPartial({ [LISTS[datatype as keyof typeof LISTS]]: values });
}

function parameters(given: unknown, where: string): Record<string, InferParameter> {
  const entries = Object.entries(object(given ?? {}, where)).map(([name, value]) => [
    name,
    { parameterChoice: parameter(value, `${where}.${name}`) },
  ]);
  return Object.fromEntries(entries) as Record<string, InferParameter>;
}

function parameter(value: unknown, where: string): InferParameter['parameterChoice'] {
  if (typeof value === 'boolean') return { $case: 'boolParam', value };
  if (typeof value === 'number') return { $case: 'doubleParam', value };
  if (typeof value === 'string') return { $case: 'stringParam', value };
  throw invalid(where, `${where} is ${shown(value)}; send a text, a number, true or false`);
}

/** A short text for an error. Lists and objects are not written out: they may be nested too deeply. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : JSON.stringify(value);
}

function object(value: unknown, where: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw invalid(where, `${where} must be an object`);
}

function list(value: unknown, where: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw invalid(where, `${where} must be a list`);
}

function text(value: unknown, where: string): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  throw invalid(where, `${where} must be a text`);
}
