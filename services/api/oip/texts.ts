// Reads an input tensor of texts (datatype BYTES) for models that take text.
import type { ModelInferRequest } from '../../generated/inference/grpc_service.ts';
import { invalid } from './errors.ts';

export const TEXT = 'text';

interface Texts {
  readonly isBatch: boolean;
  readonly texts: readonly string[];
}

const LENGTH_BYTES = 4;

/** Shape [1], or [batch, 1]. `raw`: of the input; undefined: its contents are a list. Throws INVALID_FIELD. */
export function readTexts(input: ModelInferRequest['inputs'][number], raw: Uint8Array | undefined, max: number): Texts {
  const shape = input.shape.map(Number);
  const isBatch = shape.length === 2;
  if (shape.length < 1 || shape.length > 2 || shape.at(-1) !== 1 || !(shape[0]! >= 1)) {
    throw invalid('inputs[0].shape', `shape [${shape.join(', ')}] does not fit texts; send [1] or [batch, 1]`);
  }
  const count = shape[0]!;
  if (count > max) {
    const message = `a batch of ${count} is more than ${max} (setting max_batch_items); send several requests`;
    throw invalid('inputs[0].shape', message);
  }
  const parts = raw === undefined ? (input.contents?.bytesContents ?? []) : split(raw, count);
  if (parts.length === count) return { isBatch, texts: parts.map(decoded) };
  throw invalid('inputs[0]', `shape [${shape.join(', ')}] is ${count} texts, and there are ${parts.length}`);
}

/** Each text follows its length in four bytes, little-endian. */
function split(raw: Uint8Array, count: number): Uint8Array[] {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at < raw.length && parts.length < count) {
    const end = at + LENGTH_BYTES > raw.length ? Infinity : at + LENGTH_BYTES + view.getUint32(at, true);
    if (end > raw.length)
      throw invalid('raw_input_contents[0]', `text ${parts.length} ends after the ${raw.length} bytes`);
    parts.push(raw.subarray(at + LENGTH_BYTES, end));
    at = end;
  }
  if (at === raw.length) return parts;
  throw invalid('raw_input_contents[0]', `there are ${raw.length - at} bytes after ${count} texts`);
}

function decoded(bytes: Uint8Array, index: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid('inputs[0]', `text ${index} is not UTF-8`);
  }
}
