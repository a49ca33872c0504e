// Reads numpy's files: .npz, a ZIP archive of named arrays, and .npy, one array. Both may be hostile.
import { unzipSync } from 'fflate';

export interface NumpyArray {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float64Array;
}

/** A file that cannot be read. The message says what to do. */
export class NumpyError extends Error {}

const MAX_ARRAY_BYTES = 512 * 1024 * 1024;
const MAGIC = '\x93NUMPY';
const MAX_RANK = 32;

type Read = (view: DataView, at: number) => number;
const READERS: Readonly<Record<string, readonly [size: number, read: Read]>> = {
  '|b1': [1, (view, at) => view.getUint8(at)],
  '|u1': [1, (view, at) => view.getUint8(at)],
  '|i1': [1, (view, at) => view.getInt8(at)],
  '<i2': [2, (view, at) => view.getInt16(at, true)],
  '<u2': [2, (view, at) => view.getUint16(at, true)],
  '<i4': [4, (view, at) => view.getInt32(at, true)],
  '<u4': [4, (view, at) => view.getUint32(at, true)],
  '<i8': [8, (view, at) => Number(view.getBigInt64(at, true))],
  '<f4': [4, (view, at) => view.getFloat32(at, true)],
  '<f8': [8, (view, at) => view.getFloat64(at, true)],
};

/** The arrays of an .npz file, by name. */
export function readNpz(file: Uint8Array): Map<string, NumpyArray> {
  let total = 0;
  const take = ({ name, originalSize }: { name: string; originalSize: number }): boolean => {
    total += originalSize;
    if (total > MAX_ARRAY_BYTES) {
      throw new NumpyError(`the arrays have more than ${MAX_ARRAY_BYTES} bytes together; record fewer steps`);
    }
    return name.endsWith('.npy');
  };
  let entries: Readonly<Record<string, Uint8Array>>;
  try {
    entries = unzipSync(file, { filter: take });
  } catch (error) {
    if (error instanceof NumpyError) throw error;
    throw new NumpyError('is not an .npz file; write one with numpy.savez(path, input=..., output=...)');
  }
  return new Map(Object.entries(entries).map(([name, bytes]) => [name.slice(0, -4), readNpy(bytes, name)]));
}

export function readNpy(bytes: Uint8Array, name: string): NumpyArray {
  const refuse = (problem: string): never => {
    throw new NumpyError(`array "${name}": ${problem}`);
  };
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < 12 || file.toString('latin1', 0, 6) !== MAGIC) refuse('is not an .npy file');
  const wide = file[6]! >= 2;
  const start = wide ? 12 : 10;
  const end = start + (wide ? file.readUInt32LE(8) : file.readUInt16LE(8));
  if (end > file.length) refuse('ends in its header');
  const header = file.toString('latin1', start, end);
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? '';
  const reader = READERS[type];
  if (reader === undefined) {
    return refuse(`has elements of type "${type}"; known are ${Object.keys(READERS).join(', ')}`);
  }
  const [size, read] = reader;
  const shape = shapeOf(header) ?? refuse('has no shape');
  const count = shape.reduce((product, length) => product * length, 1);
  if (file.length - end !== count * size) {
    refuse(`has ${file.length - end} bytes of data, but its shape [${shape.join(', ')}] takes ${count * size}`);
  }
  const view = new DataView(file.buffer, file.byteOffset + end, count * size);
  const stored = Float64Array.from({ length: count }, (_, at) => read(view, at * size));
  const isColumnMajor = /'fortran_order':\s*True/.test(header) && shape.length > 1;
  return { shape, values: isColumnMajor ? rowMajor(stored, shape) : stored };
}

function shapeOf(header: string): number[] | undefined {
  const dimensions = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  const shape = dimensions
    ?.split(',')
    .filter((text) => text.trim() !== '')
    .map(Number);
  return shape !== undefined && shape.length <= MAX_RANK ? shape : undefined;
}

function rowMajor(stored: Float64Array, shape: readonly number[]): Float64Array {
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, length) => product * length, 1));
  return Float64Array.from(stored, (_, at) => {
    let [rest, from] = [at, 0];
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      from += (rest % shape[axis]!) * strides[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return stored[from]!;
  });
}
