// Element types of tensors, and their exact conversion to binary32.
import { RouterError } from '../core/errors.ts';

interface DType {
  readonly name: string;
  /** Size of one element. */
  readonly bytes: number;
  /**
   * Converts whole elements, little-endian, at any alignment, to binary32 in the same order; FP32 is returned
   * unchanged.
   */
  readonly toFloats: (data: Uint8Array) => Uint8Array;
}

/** A copy, because 16-bit elements can only be read from even addresses. */
function aligned(data: Uint8Array): ArrayBuffer {
  return new Uint8Array(data).buffer;
}

const bytesOf = (floats: Float32Array<ArrayBuffer>): Uint8Array => new Uint8Array(floats.buffer);

/** Sign, 5-bit exponent and 10-bit fraction. binary32 can represent every such number, including infinity and NaN. */
function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

let halves: Float32Array | undefined;

/** A table of all 65,536 values, built at first use. */
function allHalves(): Float32Array {
  return (halves ??= Float32Array.from({ length: 65_536 }, (_, half) => fromHalf(half)));
}

const DTYPES: readonly DType[] = [
  { name: 'FP32', bytes: 4, toFloats: (data) => data },
  {
    name: 'FP16',
    bytes: 2,
    toFloats: (data) => {
      const table = allHalves();
      return bytesOf(Float32Array.from(new Uint16Array(aligned(data)), (half) => table[half]!));
    },
  },
  {
    name: 'INT8',
    bytes: 1,
    toFloats: (data) => bytesOf(new Float32Array(new Int8Array(data.buffer, data.byteOffset, data.length))),
  },
  { name: 'UINT8', bytes: 1, toFloats: (data) => bytesOf(new Float32Array(data)) },
  {
    name: 'BOOL',
    bytes: 1,
    toFloats: (data) => {
      const index = data.findIndex((byte) => byte > 1);
      if (index < 0) return bytesOf(new Float32Array(data));
      throw new RouterError('INVALID_FIELD', `element ${index} is ${data[index]}; a BOOL is 0 or 1`, {
        field: `tensor.data[${index}]`,
        metadata: { index: String(index) },
      });
    },
  },
];

/** Empty means FP32. Throws INPUT_DTYPE. */
export function dtypeOf(name: string): DType {
  const found = DTYPES.find((dtype) => dtype.name === (name || 'FP32'));
  if (found !== undefined) return found;
  const known = DTYPES.map((dtype) => dtype.name).join(', ');
  const message = `dtype "${name.slice(0, 32)}" is not known; send one of ${known}, little-endian`;
  throw new RouterError('INPUT_DTYPE', message, { field: 'tensor.dtype' });
}
