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

/** One module for each rule in use. */
const compiled = new Map<string, object>();

function moduleFor(rule: NeuronRule): object {
  const key = JSON.stringify(rule);
  let module = compiled.get(key);
  if (module === undefined) {
    module = new wasm.Module(
      assemble([...COLUMN_FUNCTIONS, ...CONV_FUNCTIONS, ...neuronFunctions(rule), ...RECORD_FUNCTIONS]),
    );
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
  readonly neurons: NeuronKernels;
  readonly recording: RecordKernel;
  /** Address of the table LANES. */
  readonly lanes: number;
  readonly #buffer: ArrayBuffer;
  #used = 0;

  constructor(bytes: number, rule: NeuronRule) {
    const memory = new wasm.Memory({ initial: Math.ceil((bytes + LANES.byteLength) / PAGE_BYTES) });
    const { exports } = new wasm.Instance(moduleFor(rule), { env: { memory } });
    this.columns = exports as ColumnKernels;
    this.conv = exports as ConvKernels;
    this.neurons = exports as NeuronKernels;
    this.recording = exports as RecordKernel;
    this.#buffer = memory.buffer;
    const lanes = this.ints(LANES.length);
    lanes.set(LANES);
    this.lanes = lanes.byteOffset;
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
