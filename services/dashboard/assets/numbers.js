// Converts numbers that a user types, pastes or opens as a file to a tensor. The same formats as "npx tandem reason".

/** More numbers would make a request that every router refuses. */
const MAX_NUMBERS = 4_000_000;
const NPY_MAGIC = '\x93NUMPY';
const NPY_READERS = {
  f4: (view, at, isLittle) => view.getFloat32(at, isLittle),
  f8: (view, at, isLittle) => view.getFloat64(at, isLittle),
  i1: (view, at) => view.getInt8(at),
  u1: (view, at) => view.getUint8(at),
  b1: (view, at) => view.getUint8(at),
  i2: (view, at, isLittle) => view.getInt16(at, isLittle),
  u2: (view, at, isLittle) => view.getUint16(at, isLittle),
  i4: (view, at, isLittle) => view.getInt32(at, isLittle),
  u4: (view, at, isLittle) => view.getUint32(at, isLittle),
};

/** A JSON list, nested for a time series; or numbers separated by spaces, commas or line breaks. Throws Error. */
export function parseNumbers(text) {
  const trimmed = text.trim();
  if (trimmed === '') throw new Error('There are no numbers yet. Type some, separated by spaces or commas.');
  if (!trimmed.startsWith('['))
    return toTensor(
      trimmed
        .split(/[\s,;]+/)
        .filter(Boolean)
        .map(toNumber),
    );
  try {
    return toTensor(JSON.parse(trimmed));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Error(`This is not a JSON list: ${error.message}`, { cause: error });
    throw error;
  }
}

/** One row per line. */
function parseCsv(text) {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const rows = lines.map((line) => line.split(/[,;]/).map((word) => toNumber(word.trim())));
  return toTensor(rows.length === 1 ? rows[0] : rows);
}

/** @param {File} file .json, .txt, .csv, .npy, or .f32: little-endian floats */
export async function readNumbers(file) {
  if (file.size > MAX_NUMBERS * 8) throw new Error(`“${file.name}” is too large to send from a page.`);
  if (file.name.endsWith('.npy')) return parseNpy(await file.arrayBuffer());
  if (file.name.endsWith('.f32')) return fromFloats(await file.arrayBuffer());
  const text = await file.text();
  return file.name.endsWith('.csv') ? parseCsv(text) : parseNumbers(text);
}

/** The Tensor of a ReasonRequest in protobuf's JSON. */
export function toJson({ shape, values }) {
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  let text = '';
  for (let at = 0; at < bytes.length; at += 8_192) text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return { shape, dtype: 'FP32', data: btoa(text) };
}

function fromFloats(buffer) {
  if (buffer.byteLength % 4 !== 0)
    throw new Error('A .f32 file has 4 bytes per number; this one ends inside a number.');
  const values = new Float32Array(buffer);
  return { shape: [values.length], values };
}

function toTensor(list) {
  const shape = [];
  for (let level = list; Array.isArray(level); [level] = level) shape.push(level.length);
  const values = list.flat(shape.length - 1);
  const size = shape.reduce((product, length) => product * length, 1);
  if (values.length !== size || values.some(Array.isArray)) throw new Error('The rows have different lengths.');
  if (values.length > MAX_NUMBERS) throw new Error(`These are ${values.length} numbers, more than a request may have.`);
  return { shape, values: values.map(toNumber) };
}

function toNumber(word) {
  const value = typeof word === 'string' && word !== '' ? Number(word) : word;
  if (Number.isFinite(value)) return value;
  throw new Error(`“${String(word).slice(0, 40)}” is not a number.`);
}

/** NumPy's format, versions 1 to 3: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
function parseNpy(buffer) {
  const view = new DataView(buffer);
  const text = (from, to) => String.fromCharCode(...new Uint8Array(buffer, from, to - from));
  if (buffer.byteLength < 12 || text(0, 6) !== NPY_MAGIC) throw new Error('This is not a NumPy file.');
  const start = view.getUint8(6) === 1 ? 10 : 12;
  const headerEnd = start + (start === 10 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (headerEnd > Math.min(buffer.byteLength, 65_536)) throw new Error('This NumPy file ends inside its header.');
  const header = text(start, headerEnd);
  const [, order, type] = /'descr':\s*'([<>|=])(\w+)'/.exec(header) ?? [];
  const [, sizes] = /'shape':\s*\(([\d, ]*)\)/.exec(header) ?? [];
  const read = NPY_READERS[type];
  if (read === undefined || sizes === undefined || /'fortran_order':\s*True/.test(header)) {
    throw new Error('The page cannot read this NumPy file’s number format; save it as float32, in C order.');
  }
  const shape = sizes
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
  const count = shape.reduce((product, length) => product * length, 1);
  const width = Number(type.slice(1));
  if (count > MAX_NUMBERS || headerEnd + count * width > buffer.byteLength) {
    throw new Error('This NumPy file is too large, or ends too early.');
  }
  const values = Array.from({ length: count }, (_, at) => read(view, headerEnd + at * width, order !== '>'));
  return toTensor(nested(values, shape.length === 0 ? [1] : shape));
}

function nested(values, [length, ...rest]) {
  if (rest.length === 0) return values;
  const size = values.length / length;
  return Array.from({ length }, (_, at) => nested(values.slice(at * size, (at + 1) * size), rest));
}
