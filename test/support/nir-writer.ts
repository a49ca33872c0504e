// Writes NIR files from plain objects for tests, as Python's nir package does.
import * as h5wasm from 'h5wasm';

const module = await h5wasm.ready;

type Dtype = keyof typeof CODES;

export interface Values {
  /** Empty: a scalar. */
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly dtype?: Dtype;
  readonly gzip?: boolean;
}

/** A number is a float32 scalar; a list of numbers a float32 vector. */
export type FieldValue = number | readonly number[] | Values | string;

export interface GraphSpec {
  readonly type: 'NIRGraph';
  readonly nodes: Readonly<Record<string, NodeSpec | GraphSpec>>;
  readonly edges: readonly (readonly [string, string])[];
}

export interface NodeSpec {
  readonly type: string;
  readonly fields?: Readonly<Record<string, FieldValue>>;
}

const CODES = { float32: '<f', float64: '<d', int16: '<h', int32: '<i', int64: '<q' } as const;
let written = 0;

/** The file's bytes. */
export function writeNir(graph: GraphSpec, version = '1.0'): Uint8Array {
  return writeHdf5((file) => {
    if (version !== '') file.create_dataset({ name: 'version', data: version, shape: [], dtype: 'S' });
    writeGraph(file.create_group('node'), graph);
  });
}

/** Writes an HDF5 file that need not be NIR. */
export function writeHdf5(fill: (file: h5wasm.File) => void): Uint8Array {
  return inMemory('w', fill);
}

/** The file with the first element of a float32 vector changed to `value`. */
export function changeNir(bytes: Uint8Array, dataset: string, value: number): Uint8Array {
  return inMemory(
    'a',
    (file) => (file.get(dataset) as h5wasm.Dataset).write_slice([[0, 1]], Float32Array.of(value)),
    bytes,
  );
}

function inMemory(mode: 'w' | 'a', fill: (file: h5wasm.File) => void, bytes?: Uint8Array): Uint8Array {
  written += 1;
  const path = `/written-${written}.nir`;
  if (bytes !== undefined) module.FS.writeFile(path, bytes);
  const file = new h5wasm.File(path, mode);
  fill(file);
  file.close();
  const whole = module.FS.readFile(path);
  module.FS.unlink(path);
  return whole;
}

function writeGraph(group: h5wasm.Group, graph: GraphSpec): void {
  group.create_dataset({ name: 'type', data: 'NIRGraph', shape: [], dtype: 'S' });
  writeEdges(group, graph.edges);
  const nodes = group.create_group('nodes');
  for (const [name, node] of Object.entries(graph.nodes)) {
    const child = nodes.create_group(name);
    if ('nodes' in node) {
      writeGraph(child, node);
    } else {
      child.create_dataset({ name: 'type', data: node.type, shape: [], dtype: 'S' });
      for (const [field, value] of Object.entries(node.fields ?? {})) writeField(child, field, value);
    }
  }
}

function writeEdges(group: h5wasm.Group, edges: GraphSpec['edges']): void {
  const name = 'edges';
  // Like numpy with an empty list.
  if (edges.length === 0) group.create_dataset({ name, data: new Float64Array(0), shape: [0] });
  else group.create_dataset({ name, data: edges.flat(), shape: [edges.length, 2], dtype: 'S' });
}

function writeField(group: h5wasm.Group, name: string, value: FieldValue): void {
  if (typeof value === 'string') {
    group.create_dataset({ name, data: value, shape: [], dtype: 'S' });
    return;
  }
  const { shape, values, dtype = 'float32', gzip = false } = asValues(value);
  const data = dtype === 'int64' ? BigInt64Array.from(values, BigInt) : asFloats(values, dtype);
  const chunked = gzip && shape.length > 0 ? { chunks: [...shape], compression: 'gzip' as const } : {};
  group.create_dataset({ name, data, shape: [...shape], dtype: CODES[dtype], ...chunked });
}

function asFloats(values: readonly number[], dtype: Exclude<Dtype, 'int64'>) {
  if (dtype === 'int16') return Int16Array.from(values);
  if (dtype === 'int32') return Int32Array.from(values);
  return dtype === 'float32' ? Float32Array.from(values) : Float64Array.from(values);
}

function asValues(value: number | readonly number[] | Values): Values {
  if (typeof value === 'number') return { shape: [], values: [value] };
  return 'shape' in value ? value : { shape: [value.length], values: value };
}

/** A list of dimensions. */
export function dims(...lengths: number[]): Values {
  return { shape: [lengths.length], values: lengths, dtype: 'int64' };
}

/** `[out][in]` as a matrix. */
export function matrix(...rows: (readonly number[])[]): Values {
  return { shape: [rows.length, rows[0]!.length], values: rows.flat() };
}
