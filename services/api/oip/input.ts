// Splits the input tensor of a request into the inputs of its items.
import type { InferParameter, InferTensorContents, ModelInferRequest } from '../../generated/inference/grpc_service.ts';
import type { Tensor } from '../../generated/tandem/v1/reasoning.ts';
import { dtypeOf } from '../../inputs/dtype.ts';
import { invalid } from './errors.ts';
import { TEXT, readTexts } from './texts.ts';

export const INPUT = 'input';

/** The model's input, from its metadata. */
export interface ItemShape {
  readonly kind: 'constant' | 'series';
  /** Of one step. */
  readonly shape: readonly number[];
}

export type ItemInput = { readonly tensor: Tensor } | { readonly text: string };

export interface Items {
  /** The input's first dimension is a batch. */
  readonly isBatch: boolean;
  readonly inputs: readonly ItemInput[];
}

type InputTensor = ModelInferRequest['inputs'][number];

/** The same input with its list of numbers as bytes, which are read faster. Texts stay a list. */
export function packed(request: ModelInferRequest): ModelInferRequest {
  const [input] = request.inputs;
  if (request.inputs.length !== 1 || input?.contents === undefined) return request;
  const data = PACKERS[input.datatype]?.(input.contents);
  if (data === undefined) return request;
  return { ...request, inputs: [{ ...input, contents: undefined }], rawInputContents: [data] };
}

/** Reads the protocol's list for a datatype as little-endian bytes. */
const PACKERS: Readonly<Partial<Record<string, (contents: InferTensorContents) => Uint8Array>>> = {
  FP32: ({ fp32Contents }) => bytesOf(Float32Array.from(fp32Contents)),
  INT8: ({ intContents }) => bytesOf(Int8Array.from(intContents)),
  UINT8: ({ uintContents }) => Uint8Array.from(uintContents),
  BOOL: ({ boolContents }) => Uint8Array.from(boolContents, Number),
  FP16: () => new Uint8Array(0), // raw only: the protocol has no list for it
};

function bytesOf({ buffer }: { readonly buffer: ArrayBuffer }): Uint8Array {
  return new Uint8Array(buffer);
}

/** Throws INVALID_FIELD. `maxItems`: setting max_batch_items. */
export function readItems(request: ModelInferRequest, model: ItemShape, maxItems: number): Items {
  const { inputs, rawInputContents } = request;
  const [input] = inputs;
  if (input === undefined || inputs.length !== 1) {
    throw invalid('inputs', `the request has ${inputs.length} input tensors; send one, named "${INPUT}" or "${TEXT}"`);
  }
  if (rawInputContents.length > 1) {
    throw invalid('raw_input_contents', `there are ${rawInputContents.length} raw contents for one input; send one`);
  }
  const isText = input.datatype === 'BYTES';
  if (input.name !== INPUT && !(isText && input.name === TEXT)) {
    throw invalid('inputs[0].name', `there is no input "${input.name}"; there are "${INPUT}", and "${TEXT}" of BYTES`);
  }
  if (isText) {
    const { isBatch, texts } = readTexts(input, rawInputContents[0], maxItems);
    return { isBatch, inputs: texts.map((text) => ({ text })) };
  }
  const pack = PACKERS[input.datatype];
  if (pack === undefined) {
    const known = [...Object.keys(PACKERS), 'BYTES (texts)'].join(', ');
    throw invalid('inputs[0].datatype', `datatype "${input.datatype}" is not supported; send one of ${known}`);
  }
  const data = rawInputContents[0] ?? pack(contentsOf(input));
  const shape = input.shape.map(Number);
  const { isBatch, count, itemShape } = divide(shape, model, maxItems);
  const itemBytes = itemShape.reduce((size, length) => size * length, dtypeOf(input.datatype).bytes);
  if (data.length !== itemBytes * count) {
    throw invalid(
      'inputs[0]',
      `shape [${shape.join(', ')}] of ${input.datatype} is ${itemBytes * count} bytes, and there are ${data.length}`,
    );
  }
  const items = Array.from({ length: count }, (_, index) => ({
    tensor: {
      shape: itemShape,
      dtype: input.datatype,
      data: data.subarray(index * itemBytes, (index + 1) * itemBytes),
    },
  }));
  return { isBatch, inputs: items };
}

function contentsOf({ contents }: InputTensor): InferTensorContents {
  if (contents === undefined) throw invalid('inputs[0].contents', 'the input has no contents; send them, or raw ones');
  return contents;
}

/**
 * A constant input has shape [n] or the model's shape. A series adds its steps as first dimension. A batch adds one
 * more dimension before that.
 */
function divide(
  shape: readonly number[],
  { kind, shape: step }: ItemShape,
  maxItems: number,
): { readonly isBatch: boolean; readonly count: number; readonly itemShape: number[] } {
  const dimensions = step.length + (kind === 'series' ? 1 : 0);
  const isBatch = shape.length === dimensions + 1;
  if (shape.some((length) => !Number.isSafeInteger(length) || length < 1)) {
    throw invalid('inputs[0].shape', `shape [${shape.join(', ')}] has a length that is not 1 or more`);
  }
  if (!isBatch && shape.length !== dimensions) {
    const wanted = [...(kind === 'series' ? ['steps'] : []), ...step].join(', ');
    throw invalid(
      'inputs[0].shape',
      `shape [${shape.join(', ')}] does not fit; send [${wanted}] or [batch, ${wanted}]`,
    );
  }
  const count = isBatch ? shape[0]! : 1;
  if (count > maxItems) {
    const message = `a batch of ${count} is more than ${maxItems} (setting max_batch_items); send several requests`;
    throw invalid('inputs[0].shape', message);
  }
  return { isBatch, count, itemShape: shape.slice(isBatch ? 1 : 0) };
}

/** The text of a parameter; '' if it is missing. Throws INVALID_FIELD if it is not a text. */
export function textParameter(parameters: Readonly<Record<string, InferParameter>>, name: string): string {
  const choice = Object.hasOwn(parameters, name) ? parameters[name]?.parameterChoice : undefined;
  if (choice === undefined) return '';
  if (choice.$case !== 'stringParam') throw invalid(`parameters.${name}`, `parameter "${name}" must be a text`);
  return choice.value;
}
