// Reads the usual ReasonRequest in one pass: a tensor or packed numbers, with any of the fields that are one number or
// a short text, each once. Other requests are undefined here, and go to the generated decoder (reason-messages.ts),
// after their fields are counted. Both passes together take six times as long.
import type { Tensor } from '../generated/tandem/v1/reasoning.ts';
import type { ReasonRequestWire } from '../generated/tandem/wire/v1/wire.ts';

/** Field numbers and wire types, encoded. */
const [REQUEST_ID, MODEL, MODEL_VERSION, ENCODING, TENSOR] = [0x0a, 0x12, 0x18, 0x22, 0x2a];
const [STRATEGY, CACHE, DETAIL] = [0x30, 0x38, 0x48];
const [SHAPE, DTYPE, DATA] = [0x0a, 0x12, 0x1a];

const MAX_TEXT_BYTES = 127;
const MAX_ASCII = 127;
const MAX_DIMENSIONS = 16;
const MAX_VARINT_BYTES = 4;
/** What a varint or a text returns that is not of the usual form. */
const UNUSUAL = -1;

/** Position of the reader. Shared, because reading never waits. */
let at = 0;

/** Undefined: the request has another form, or is malformed. */
export function readPlainRequest(bytes: Uint8Array): ReasonRequestWire | undefined {
  let requestId = '';
  let model = '';
  let modelVersion = 0;
  let encoding: Uint8Array | undefined;
  let tensor: Tensor | undefined;
  let strategy = 0;
  let cache = 0;
  let detail = 0;
  let seen = 0;
  at = 0;
  while (at < bytes.length) {
    const tag = bytes[at++]!;
    const value = varint(bytes);
    const bit = 1 << (tag >>> 3);
    if (value === UNUSUAL || tag >= 0x80 || (seen & bit) !== 0) return undefined;
    seen |= bit;
    if (tag === MODEL_VERSION) modelVersion = value;
    else if (tag === STRATEGY) strategy = value;
    else if (tag === CACHE) cache = value;
    else if (tag === DETAIL) detail = value;
    else {
      const end = at + value;
      if (end > bytes.length) return undefined;
      if (tag === ENCODING) encoding = bytes.subarray(at, end);
      else if (tag === TENSOR) {
        tensor = readTensor(bytes, end);
        if (tensor === undefined) return undefined;
      } else if (tag === MODEL || tag === REQUEST_ID) {
        const text = (tag === MODEL ? models : requestIds).read(bytes, at, end);
        if (text === undefined) return undefined;
        if (tag === MODEL) model = text;
        else requestId = text;
      } else return undefined;
      at = end;
    }
  }
  if (encoding === undefined && tensor === undefined) return undefined;
  // prettier-ignore
  return {
    requestId, model, modelVersion, encoding: encoding === undefined ? [] : [encoding], tensor, strategy: strategy as never,
    cache: cache as never, vote: undefined, detail: detail as never, text: '', events: undefined, session: undefined,
  };
}

function readTensor(bytes: Uint8Array, end: number): Tensor | undefined {
  const shape: number[] = [];
  let dtype = '';
  let data = NO_BYTES;
  let seen = 0;
  while (at < end) {
    const tag = bytes[at++]!;
    const length = varint(bytes);
    const next = at + length;
    const bit = 1 << (tag >>> 3);
    if (length === UNUSUAL || tag > DATA || (seen & bit) !== 0 || next > end) return undefined;
    seen |= bit;
    if (tag === DATA) data = bytes.subarray(at, next);
    else if (tag === SHAPE) {
      while (at < next) {
        const dimension = varint(bytes);
        if (dimension === UNUSUAL || shape.length === MAX_DIMENSIONS) return undefined;
        shape.push(dimension);
      }
      if (at > next) return undefined;
    } else if (tag === DTYPE) {
      const text = dtypes.read(bytes, at, next);
      if (text === undefined) return undefined;
      dtype = text;
    } else return undefined;
    at = next;
  }
  return at === end ? { shape, dtype, data } : undefined;
}

/** UNUSUAL if it is longer than four bytes or does not end. */
function varint(bytes: Uint8Array): number {
  let value = 0;
  for (let k = 0; k < MAX_VARINT_BYTES && at < bytes.length; k += 1) {
    const byte = bytes[at++]!;
    value |= (byte & 127) << (7 * k);
    if (byte < 128) return value;
  }
  return UNUSUAL;
}

/** Texts of one field. Most requests have the same one as the request before: then no string is made. */
class RecentText {
  readonly #bytes = new Uint8Array(MAX_TEXT_BYTES);
  #text = '';

  /** Undefined: it is long, or not ASCII. */
  read(bytes: Uint8Array, start: number, end: number): string | undefined {
    const length = end - start;
    if (length > MAX_TEXT_BYTES) return undefined;
    if (length === this.#text.length && this.#isSame(bytes, start)) return this.#text;
    const text = bytes.subarray(start, end);
    // Before anything is kept: what is kept must belong together.
    for (let k = 0; k < length; k += 1) if (text[k]! > MAX_ASCII) return undefined;
    this.#bytes.set(text);
    return (this.#text = String.fromCharCode(...text));
  }

  #isSame(bytes: Uint8Array, start: number): boolean {
    for (let k = 0; k < this.#text.length; k += 1) if (bytes[start + k] !== this.#bytes[k]) return false;
    return true;
  }
}

const requestIds = new RecentText();
const models = new RecentText();
const dtypes = new RecentText();
const NO_BYTES: Uint8Array = new Uint8Array(0);
