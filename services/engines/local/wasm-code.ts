// A minimal WebAssembly assembler for the innermost loops: expressions are nested calls that return code.
// https://webassembly.github.io/spec/core/binary/

export type Code = readonly number[];

const I32 = 0x7f;
const V128 = 0x7b;
const VOID = 0x40;
const VECTOR = 0xfd;

/** Unsigned LEB128. */
function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

/** Signed LEB128: the highest of the seven bits of the last byte is the sign. */
function signedLeb(value: number): number[] {
  return value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signedLeb(value >> 7)];
}

export const get = (local: number): Code => [0x20, local];
export const set = (local: number, value: Code): Code => [...value, 0x21, local];

export const int = (value: number): Code => [0x41, ...signedLeb(value)];
export const add = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
export const subtract = (a: Code, b: Code): Code => [...a, ...b, 0x6b];
export const multiply = (a: Code, b: Code): Code => [...a, ...b, 0x6c];
export const and = (a: Code, b: Code): Code => [...a, ...b, 0x71];
export const shiftLeft = (a: Code, bits: number): Code => [...a, ...int(bits), 0x74];
export const shiftRight = (a: Code, bits: number): Code => [...a, ...int(bits), 0x76];
export const popcount = (a: Code): Code => [...a, 0x69];
export const differ = (a: Code, b: Code): Code => [...a, ...b, 0x47];
export const below = (a: Code, b: Code): Code => [...a, ...b, 0x49];
export const loadInt = (address: Code, offset: number): Code => [...address, 0x28, 2, ...leb(offset)];
export const storeInt = (address: Code, value: Code): Code => [...address, ...value, 0x36, 2, 0];

/** The lower two bytes. */
export const storeShort = (address: Code, value: Code): Code => [...address, ...value, 0x3b, 1, 0];

/** Four binary32 numbers at a time. */
export const vector = {
  load: (address: Code, offset = 0): Code => [...address, VECTOR, 0, 2, ...leb(offset)],
  loadSplat: (address: Code, offset: number): Code => [...address, VECTOR, 9, 2, ...leb(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [...address, ...value, VECTOR, 11, 2, ...leb(offset)],
  add: (a: Code, b: Code): Code => [...a, ...b, VECTOR, 0xe4, 1],
  subtract: (a: Code, b: Code): Code => [...a, ...b, VECTOR, 0xe5, 1],
  multiply: (a: Code, b: Code): Code => [...a, ...b, VECTOR, 0xe6, 1],
  divide: (a: Code, b: Code): Code => [...a, ...b, VECTOR, 0xe7, 1],
  minimum: (a: Code, b: Code): Code => [...a, ...b, VECTOR, 0xe8, 1],
  truncate: (a: Code): Code => [...a, VECTOR, 0x69],
  equal: (a: Code, b: Code): Code => [...a, ...b, VECTOR, 0x41],
  /** All bits of a lane where `a > b`. */
  above: (a: Code, b: Code): Code => [...a, ...b, VECTOR, 0x44],
  /** All bits of a lane where `a ≥ b`. */
  reaches: (a: Code, b: Code): Code => [...a, ...b, VECTOR, 0x46],
  /** All bits of a lane where they differ. */
  differ: (a: Code, b: Code): Code => [...a, ...b, VECTOR, 0x42],
  and: (a: Code, b: Code): Code => [...a, ...b, VECTOR, 0x4e],
  or: (a: Code, b: Code): Code => [...a, ...b, VECTOR, 0x50],
  /** `a` in the lanes of `mask`, `b` in the others. */
  select: (mask: Code, a: Code, b: Code): Code => [...a, ...b, ...mask, VECTOR, 0x52],
  /** One bit for each lane of a mask. */
  bits: (mask: Code): Code => [...mask, VECTOR, 0xa4, 1],
  allTrue: (mask: Code): Code => [...mask, VECTOR, 0xa3, 1],
  /** For four 32-bit integers. */
  addInts: (a: Code, b: Code): Code => [...a, ...b, VECTOR, 0xae, 1],
  multiplyInts: (a: Code, b: Code): Code => [...a, ...b, VECTOR, 0xb5, 1],
  /** For eight 16-bit integers: the lower half of each product. */
  multiplyShorts: (a: Code, b: Code): Code => [...a, ...b, VECTOR, 0x95, 1],
  /** For eight signed 16-bit integers: the sums of neighbouring products, as four 32-bit integers. */
  addedPairs: (a: Code, b: Code): Code => [...a, ...b, VECTOR, 0xba, 1],
  shiftLeftInts: (a: Code, bits: number): Code => [...a, ...int(bits), VECTOR, 0xab, 1],
  shiftRightInts: (a: Code, bits: number): Code => [...a, ...int(bits), VECTOR, 0xad, 1],
  xor: (a: Code, b: Code): Code => [...a, ...b, VECTOR, 0x51],
  aboveInts: (a: Code, b: Code): Code => [...a, ...b, VECTOR, 0x3b],
  splatInt: (value: Code): Code => [...value, VECTOR, 0x11],
  lane: (a: Code, lane: number): Code => [...a, VECTOR, 0x1b, lane],
  /** Four integers. */
  constants: (values: readonly number[]): Code => {
    return [VECTOR, 12, ...values.flatMap((value) => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff))];
  },
  /** Saturating, with sign: four and four integers to eight of two bytes; eight and eight of those to sixteen bytes. */
  narrowInts: (a: Code, b: Code): Code => [...a, ...b, VECTOR, 0x85, 1],
  narrowShorts: (a: Code, b: Code): Code => [...a, ...b, VECTOR, 0x65],
  /** The signs of sixteen bytes, one bit each. */
  signs: (a: Code): Code => [...a, VECTOR, 0x64],
  /** One number in all lanes. */
  splat: (value: number): Code => [0x43, ...new Uint8Array(Float32Array.of(value).buffer), VECTOR, 0x13],
  zeros: [VECTOR, 12, ...Array<number>(16).fill(0)] as Code,
  ones: [0x43, 0x00, 0x00, 0x80, 0x3f, VECTOR, 0x13] as Code,
};

/** `do body while (condition)`. */
export const repeatWhile = (condition: Code, body: Code): Code => {
  return [0x03, VOID, ...body, ...condition, 0x0d, 0, 0x0b];
};
/** `while (condition) body`. */
export const loopWhile = (condition: Code, body: Code): Code => {
  return [0x02, VOID, ...condition, 0x45, 0x0d, 0, ...repeatWhile(condition, body), 0x0b];
};
export const when = (condition: Code, body: Code): Code => [...condition, 0x04, VOID, ...body, 0x0b];
/** The value of an `int` expression. */
export const choose = (condition: Code, then: Code, otherwise: Code): Code => [
  ...then,
  ...otherwise,
  ...condition,
  0x1b,
];

export interface WasmFunction {
  readonly name: string;
  /** Integer parameters: addresses and counts. They are the first locals. */
  readonly parameters: number;
  readonly returnsInt: boolean;
  /** Other locals: integers, then vectors. */
  readonly ints: number;
  readonly vectors: number;
  readonly body: Code;
}

/** A module of these functions, on the memory `env.memory`. */
export function assemble(functions: readonly WasmFunction[]): Uint8Array {
  const sized = (content: Code): Code => [...leb(content.length), ...content];
  const list = (items: readonly Code[]): Code => [...leb(items.length), ...items.flat()];
  const section = (id: number, content: Code): Code => [id, ...sized(content)];
  const name = (text: string): Code => sized([...Buffer.from(text)]);
  const types = functions.map(({ parameters, returnsInt }) => {
    return [0x60, ...list(Array<Code>(parameters).fill([I32])), ...list(returnsInt ? [[I32]] : [])];
  });
  const bodies = functions.map(({ ints, vectors, body }) => sized([2, ints, I32, vectors, V128, ...body, 0x0b]));
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(2, [1, ...name('env'), ...name('memory'), 2, 0, 0]),
    ...section(3, list(functions.map((_, at) => [at]))),
    ...section(7, list(functions.map((one, at) => [...name(one.name), 0, at]))),
    ...section(10, list(bodies)),
  ]);
}

/** TypeScript declares WebAssembly only for browsers; these are the parts that we use. */
interface WasmMemory {
  readonly buffer: ArrayBuffer;
}
interface WasmApi {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
  readonly Memory: new (size: { readonly initial: number }) => WasmMemory;
}
export const wasm = (globalThis as unknown as { readonly WebAssembly: WasmApi }).WebAssembly;
