// Reads a numpy .npy file of numbers, row-major, as float32.

const READERS: Readonly<Record<string, readonly [number, (view: DataView, at: number) => number]>> = {
  '|u1': [1, (view, at) => view.getUint8(at)],
  '<f4': [4, (view, at) => view.getFloat32(at, true)],
  '<f8': [8, (view, at) => view.getFloat64(at, true)],
};

export function readNpy(file: Buffer): Float32Array {
  const headerLength = file.readUInt16LE(8);
  const header = file.subarray(10, 10 + headerLength).toString('latin1');
  const [, type = ''] = /'descr': '([^']*)'/.exec(header) ?? [];
  const [, dimensions = ''] = /'shape': \(([^)]*)\)/.exec(header) ?? [];
  const shape = dimensions
    .split(',')
    .filter((text) => text.trim() !== '')
    .map(Number);
  const reader = READERS[type];
  if (reader === undefined) throw new Error(`.npy of type ${type} is not handled`);
  const [size, read] = reader;
  const data = file.subarray(10 + headerLength);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const count = shape.reduce((product, length) => product * length, 1);
  const stored = Float32Array.from({ length: count }, (_, at) => read(view, at * size));
  if (!header.includes("'fortran_order': True") || shape.length < 2) return stored;
  const [rows, columns] = [shape[0]!, count / shape[0]!];
  return Float32Array.from({ length: count }, (_, at) => stored[(at % columns) * rows + Math.floor(at / columns)]!);
}
