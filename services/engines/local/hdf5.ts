// A small, defensive reader of HDF5 files: only the features that NIR needs, every size checked before memory is
// allocated, every status checked (h5wasm's own classes ignore a failed read and return old heap content).
//
// It uses h5wasm's browser build on purpose: its file system is in memory, so external links and external storage in a
// hostile file cannot reach files of this machine.
import * as h5wasm from 'h5wasm';

const MAX_STRING_BYTES = 4096;
const FLOAT_CLASS = 1;
const INTEGER_CLASS = 0;
const STRING_CLASS = 3;

const module = await h5wasm.ready;

// HDF5 prints its error stack to stderr for every error in a file; we report ModelError instead.
const files = module.FS as typeof module.FS & { closeStream(descriptor: number): void };
files.closeStream(2);
files.open('/dev/null', 'w');

/** A dataset that has the wrong type or cannot be read. The reader adds node and field. */
export class Hdf5Error extends Error {}

export type Kind = 'missing' | 'group' | 'dataset' | 'link' | 'other';

export interface Tensor<Values> {
  readonly shape: readonly number[];
  readonly values: Values;
}

export class Hdf5File {
  private readonly id: bigint;

  private constructor(id: bigint) {
    this.id = id;
  }

  /** Runs `read` on the file's content, and always releases it. */
  static read<T>(bytes: Uint8Array, read: (file: Hdf5File) => T): T {
    const path = '/model.nir';
    files.writeFile(path, bytes);
    try {
      const id = module.open(path, module.H5F_ACC_RDONLY);
      if (id < 0n) throw new Hdf5Error('is not an HDF5 file, or is truncated');
      const file = new Hdf5File(id);
      try {
        return read(file);
      } finally {
        module.close_file(id);
      }
    } finally {
      files.unlink(path);
    }
  }

  /** Kind of the last component of `path`. The parents must be checked before: links are never followed. */
  kind(path: string): Kind {
    const type = module.get_type(this.id, path);
    if (type < 0) return 'missing';
    // The type declaration is wrong: it returns null for everything except a soft link.
    if ((module.get_symbolic_link(this.id, path) as string | null) !== null) return 'link';
    if (Object.keys(module.get_external_link(this.id, path)).length > 0) return 'link';
    if (type === module.H5G_GROUP) return 'group';
    return type === module.H5G_DATASET ? 'dataset' : 'other';
  }

  /** Names of a group's members, in no particular order. */
  members(path: string): string[] {
    return module.get_names(this.id, path, false);
  }

  /** Whether it is a dataset of text; its `kind` must be known. */
  isText(path: string): boolean {
    return module.get_dataset_metadata(this.id, path).type === STRING_CLASS;
  }

  /** A dataset of at most `maxElements` numbers, as binary64: floats, or integers that binary32 holds exactly. */
  floats(path: string, maxElements: number): Tensor<Float64Array> {
    const { shape, size, type } = this.describe(path, maxElements);
    if (type === INTEGER_CLASS) return exactFloats(this.integers(path, maxElements));
    if (type !== FLOAT_CLASS || (size !== 4 && size !== 8)) throw new Hdf5Error('must be float32, float64 or integers');
    const bytes = this.bytes(path, elements(shape) * size);
    return { shape, values: size === 8 ? new Float64Array(bytes) : Float64Array.from(new Float32Array(bytes)) };
  }

  /** An integer dataset of at most `maxElements`. */
  integers(path: string, maxElements: number): Tensor<number[]> {
    const { shape, size, type, signed } = this.describe(path, maxElements);
    if (type !== INTEGER_CLASS || ![1, 2, 4, 8].includes(size)) throw new Hdf5Error('must be integers');
    const view = new DataView(this.bytes(path, elements(shape) * size));
    // No field allows a number that binary64 cannot hold exactly or that exceeds int64.
    const exact = (value: bigint): number => {
      return BigInt.asIntN(64, value) === value && BigInt(Number(value)) === value ? Number(value) : NaN;
    };
    const read = (at: number): number => {
      if (size === 8) return exact(signed ? view.getBigInt64(at, true) : view.getBigUint64(at, true));
      if (size === 4) return signed ? view.getInt32(at, true) : view.getUint32(at, true);
      if (size === 2) return signed ? view.getInt16(at, true) : view.getUint16(at, true);
      return signed ? view.getInt8(at) : view.getUint8(at);
    };
    return { shape, values: Array.from({ length: elements(shape) }, (_, index) => read(index * size)) };
  }

  /** A dataset of at most `maxElements` strings, of fixed or variable length. */
  strings(path: string, maxElements: number): Tensor<string[]> {
    const metadata = this.describe(path, maxElements);
    const count = elements(metadata.shape);
    if (count === 0) return { shape: metadata.shape, values: [] };
    if (metadata.type !== STRING_CLASS) throw new Hdf5Error('must be text');
    if (metadata.size > MAX_STRING_BYTES) throw new Hdf5Error(`holds text longer than ${MAX_STRING_BYTES} bytes`);
    const values = metadata.vlen ? this.variableStrings(path, count) : this.fixedStrings(path, count, metadata.size);
    return { shape: metadata.shape, values };
  }

  private fixedStrings(path: string, count: number, size: number): string[] {
    const bytes = new Uint8Array(this.bytes(path, count * size));
    return Array.from({ length: count }, (_, index) => decode(bytes.subarray(index * size, (index + 1) * size)));
  }

  private variableStrings(path: string, count: number): string[] {
    return this.withData(path, count * 4, (address) => {
      const heap = module.HEAPU8;
      const pointers = new Uint32Array(heap.slice(address, address + count * 4).buffer);
      // HDF5 returns an empty string as a null pointer.
      const values = Array.from(pointers, (at) => (at === 0 ? '' : decode(heap.subarray(at, at + MAX_STRING_BYTES))));
      module.reclaim_vlen_memory(this.id, path, '', BigInt(address));
      return values;
    });
  }

  private describe(path: string, maxElements: number) {
    const { shape, size, type, signed, vlen } = module.get_dataset_metadata(this.id, path);
    if (shape === null) throw new Hdf5Error('is empty');
    if (!(elements(shape) <= maxElements)) {
      throw new Hdf5Error(`has shape [${shape.join(', ')}], more than ${maxElements} elements`);
    }
    return { shape, size, type, signed, vlen };
  }

  private bytes(path: string, length: number): ArrayBuffer {
    if (length === 0) return new ArrayBuffer(0);
    return this.withData(path, length, (address) => module.HEAPU8.slice(address, address + length).buffer);
  }

  private withData<T>(path: string, length: number, use: (address: number) => T): T {
    const address = module._malloc(length);
    if (address === 0) throw new Hdf5Error(`needs ${length} bytes of memory, more than there is`);
    try {
      const status = module.get_dataset_data(this.id, path, null, null, null, BigInt(address));
      if (status < 0) throw new Hdf5Error('cannot be read: the file is damaged');
      return use(address);
    } finally {
      module._free(address);
    }
  }
}

function exactFloats({ shape, values }: Tensor<number[]>): Tensor<Float64Array> {
  const bad = values.findIndex((value) => Math.fround(value) !== value);
  if (bad < 0) return { shape, values: Float64Array.from(values) };
  throw new Hdf5Error(`must be numbers that binary32 holds exactly, found an integer that it does not at index ${bad}`);
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** HDF5 marks text as ASCII or UTF-8, and writers often mark it wrongly; the bytes are UTF-8 in both cases. */
function decode(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(end < 0 ? bytes : bytes.subarray(0, end));
  } catch {
    throw new Hdf5Error('holds text that is not UTF-8');
  }
}
