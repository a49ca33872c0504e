// The memory of one running network, allocated once, and the innermost loops on it.
//
// The loops are WebAssembly, because JavaScript has no vector operations. These round like Math.fround, never fuse, and
// keep subnormals, so the bits equal those of scalar code. The module is assembled here: it is small, and users who
// install the router need no compiler for it.
import type { ColumnKernels } from './column-kernels.ts';
import { COLUMN_FUNCTIONS } from './column-kernels.ts';
import type { ConvKernels } from './conv-kernels.ts';
import { CONV_FUNCTIONS } from './conv-kernels.ts';
import type { NeuronKernels } from './neuron-kernels.ts';
import { LANES, neuronFunctions } from './neuron-kernels.ts';
import type { NeuronRule } from './neuron-rule.ts';
import type { RecordKernel } from './record-kernel.ts';
import { RECORD_FUNCTIONS } from './record-kernel.ts';
import { assemble, wasm } from './wasm-code.ts';

const PAGE_BYTES = 65_536;
const VECTOR_BYTES = 16;

/** What every network works with. */
const common = new wasm.Module(assemble([...COLUMN_FUNCTIONS, ...CONV_FUNCTIONS, ...RECORD_FUNCTIONS]));

/** One module for each rule in use; there are some hundred rules at most. */
const compiled = new Map<string, object>();

function moduleFor(key: string, rule: NeuronRule): object {
  let module = compiled.get(key);
  if (module === undefined) {
    module = new wasm.Module(assemble(neuronFunctions(rule)));
    compiled.set(key, module);
  }
  return module;
}

/** Size of an array of 4-byte elements in an arena, bytes: whole vectors, padded with zeros. */
export function arenaBytes(elements: number): number {
  return Math.ceil((4 * elements) / VECTOR_BYTES) * VECTOR_BYTES;
}

export class Arena {
  readonly columns: ColumnKernels;
  readonly conv: ConvKernels;
  readonly recording: RecordKernel;
  /** Address of the table LANES. */
  readonly lanes: number;
  readonly #memory: InstanceType<typeof wasm.Memory>;
  readonly #buffer: ArrayBuffer;
  readonly #neurons = new Map<string, NeuronKernels>();
  #used = 0;

  constructor(bytes: number) {
    const memory = new wasm.Memory({ initial: Math.ceil((bytes + LANES.byteLength) / PAGE_BYTES) });
    const { exports } = new wasm.Instance(common, { env: { memory } });
    this.columns = exports as ColumnKernels;
    this.conv = exports as ConvKernels;
    this.recording = exports as RecordKernel;
    this.#memory = memory;
    this.#buffer = memory.buffer;
    const lanes = this.ints(LANES.length);
    lanes.set(LANES);
    this.lanes = lanes.byteOffset;
  }

  neurons(rule: NeuronRule): NeuronKernels {
    const key = JSON.stringify(rule);
    let kernels = this.#neurons.get(key);
    if (kernels === undefined) {
      const { exports } = new wasm.Instance(moduleFor(key, rule), { env: { memory: this.#memory } });
      kernels = exports as NeuronKernels;
      this.#neurons.set(key, kernels);
    }
    return kernels;
  }

  /** An array's `byteOffset` is its address. */
  floats(elements: number): Float32Array {
    return new Float32Array(this.#buffer, this.#take(elements), elements);
  }

  ints(elements: number): Int32Array {
    return new Int32Array(this.#buffer, this.#take(elements), elements);
  }

  #take(elements: number): number {
    const at = this.#used;
    this.#used += arenaBytes(elements);
    return at;
  }
}
