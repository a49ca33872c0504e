// The two innermost loops, in WebAssembly: four outputs at once, which JavaScript cannot say. f32x4.mul and f32x4.add
// round as Math.fround does, never fuse, and keep subnormals, so the bits are those of a scalar loop.
//
// The module is assembled here: two functions, too small to ask a C++ toolchain of everyone who installs the router.
//
//   weighted(y, weight, stride, at, end, values)   spikes(y, weight, stride, at, end)
//
// All are addresses in bytes. Columns lie at `weight + index * stride`; the indices are int32 from `at` to `end`. Columns
// are added to `y` in that order, four a pass, so that a sum stays in a register while four columns go by; each product
// and each sum is still rounded on its own. `y` and every column fill whole vectors of 16 bytes.

export interface ColumnKernels {
  weighted(y: number, weight: number, stride: number, at: number, end: number, values: number): void;
  spikes(y: number, weight: number, stride: number, at: number, end: number): void;
}

/** TypeScript knows WebAssembly as part of a browser only; this is what we use of it. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}
interface WasmApi {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
  readonly Memory: new (size: { readonly initial: number }) => WasmMemory;
}
const wasm = (globalThis as unknown as { readonly WebAssembly: WasmApi }).WebAssembly;

type Code = readonly number[];

const I32 = 0x7f;
const V128 = 0x7b;
const VOID = 0x40;

/** Unsigned LEB128. */
function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

const get = (local: number): Code => [0x20, local];
const set = (local: number, value: Code): Code => [...value, 0x21, local];
const constant = (value: number): Code => [0x41, ...leb(value)];
const add = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
const multiply = (a: Code, b: Code): Code => [...a, ...b, 0x6c];
const below = (a: Code, b: Code): Code => [...a, ...b, 0x49];
const loadInt = (address: Code, offset: number): Code => [...address, 0x28, 2, ...leb(offset)];
const loadSplat = (address: Code, offset: number): Code => [...address, 0xfd, 9, 2, ...leb(offset)];
const loadVector = (address: Code): Code => [...address, 0xfd, 0, 2, 0];
const storeVector = (address: Code, value: Code): Code => [...address, ...value, 0xfd, 11, 2, 0];
const addVectors = (a: Code, b: Code): Code => [...a, ...b, 0xfd, 0xe4, 1];
const multiplyVectors = (a: Code, b: Code): Code => [...a, ...b, 0xfd, 0xe6, 1];

/** `do body while (condition)`. */
const repeatWhile = (condition: Code, body: Code): Code => [0x03, VOID, ...body, ...condition, 0x0d, 0, 0x0b];
/** `while (condition) body`. */
const loopWhile = (condition: Code, body: Code): Code => [
  ...[0x02, VOID, ...condition, 0x45, 0x0d, 0],
  ...repeatWhile(condition, body),
  0x0b,
];

function kernel(isWeighted: boolean): Code {
  const [y, weight, stride, at, end, values] = [0, 1, 2, 3, 4, 5];
  const offset = isWeighted ? 6 : 5;
  const column = (n: number): number => offset + 1 + n;
  const factor = (n: number): number => offset + 5 + n;

  /** Adds the next `count` columns to all outputs. */
  const pass = (count: number): Code => {
    const each = Array.from({ length: count }, (_, n) => n);
    const term = (n: number): Code => {
      const weights = loadVector(add(get(column(n)), get(offset)));
      return isWeighted ? multiplyVectors(weights, get(factor(n))) : weights;
    };
    const place = add(get(y), get(offset));
    const sum = each.reduce<Code>((code, n) => addVectors(code, term(n)), loadVector(place));
    return [
      ...each.flatMap((n) => set(column(n), add(get(weight), multiply(loadInt(get(at), 4 * n), get(stride))))),
      ...(isWeighted ? each.flatMap((n) => set(factor(n), loadSplat(get(values), 4 * n))) : []),
      ...set(offset, constant(0)),
      ...repeatWhile(below(get(offset), get(stride)), [
        ...storeVector(place, sum),
        ...set(offset, add(get(offset), constant(16))),
      ]),
      ...set(at, add(get(at), constant(4 * count))),
      ...(isWeighted ? set(values, add(get(values), constant(4 * count))) : []),
    ];
  };

  const locals = isWeighted ? [2, 5, I32, 4, V128] : [1, 5, I32];
  const body = [
    ...loopWhile(below(add(get(at), constant(12)), get(end)), pass(4)),
    ...loopWhile(below(get(at), get(end)), pass(1)),
  ];
  return [...locals, ...body, 0x0b];
}

function assemble(): Uint8Array {
  const sized = (content: Code): Code => [...leb(content.length), ...content];
  const section = (id: number, content: Code): Code => [id, ...sized(content)];
  const name = (text: string): Code => sized([...Buffer.from(text)]);
  const takesInts = (count: number): Code => [0x60, count, ...Array<number>(count).fill(I32), 0];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [2, ...takesInts(6), ...takesInts(5)]),
    ...section(2, [1, ...name('env'), ...name('memory'), 2, 0, 0]),
    ...section(3, [2, 0, 1]),
    ...section(7, [2, ...name('weighted'), 0, 0, ...name('spikes'), 0, 1]),
    ...section(10, [2, ...sized(kernel(true)), ...sized(kernel(false))]),
  ]);
}

const compiled = new wasm.Module(assemble());

/** Zeroed, of 64 KiB pages. */
export function newMemory(pages: number): WasmMemory {
  return new wasm.Memory({ initial: pages });
}

/** The kernels, working on one memory. */
export function columnKernels(memory: WasmMemory): ColumnKernels {
  return new wasm.Instance(compiled, { env: { memory } }).exports as ColumnKernels;
}
