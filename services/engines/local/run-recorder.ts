// Keeps what a run does while it runs: proto/NUMERICS.md, "Recording". Allocates nothing after its construction.
import type { RecordedNode, Recording } from '../engine.ts';
import type { SpikeList } from './kernels.ts';
import { isSpiking, isStateful } from './node-types.ts';
import type { RuntimeNode } from './runtime-node.ts';
import type { Simulator } from './simulator.ts';

interface Recorded {
  readonly name: string;
  readonly elements: number;
  /** The bits of its state: `i` and `v`, or its output. */
  readonly state: readonly Int32Array[];
  readonly spikes: SpikeList | undefined;
  /** A step; 0: it does not spike. */
  readonly spikeBytes: number;
}

const CHECKSUM_BYTES = 4;

/** Of one simulator, for one run after the other. */
export class RunRecorder {
  readonly #simulator: Simulator;
  readonly #nodes: readonly Recorded[];
  readonly #bytesAStep: number;
  #checksums = new Int32Array(0);
  #spikes = new Uint8Array(0);
  #steps = 0;

  constructor(simulator: Simulator) {
    this.#simulator = simulator;
    const { nodes, readout } = simulator.network;
    this.#nodes = nodes.flatMap(({ type }, at) => {
      if (!isStateful(type) && !isSpiking(type) && at !== readout) return [];
      return [toRecorded(simulator.nodes[at]!, isSpiking(type))];
    });
    this.#bytesAStep = this.#nodes.reduce((sum, { spikeBytes }) => sum + CHECKSUM_BYTES + spikeBytes, 0);
  }

  bytesFor(steps: number): number {
    return this.#bytesAStep * steps;
  }

  /** `memory`: as many bytes as a run of so many steps takes, from a multiple of 4 on. */
  start(steps: number, memory: Uint8Array<ArrayBuffer>): void {
    const checksums = this.#nodes.length * steps;
    this.#checksums = new Int32Array(memory.buffer, memory.byteOffset, checksums);
    this.#spikes = memory.subarray(CHECKSUM_BYTES * checksums);
    this.#steps = steps;
  }

  /** Of the step that has just ended well. */
  readonly record = (step: number): void => {
    let firstSpikes = 0;
    for (let n = 0; n < this.#nodes.length; n += 1) {
      const { state, spikes, spikeBytes } = this.#nodes[n]!;
      this.#checksums[n * this.#steps + step] = this.#simulator.checksum.compute(state);
      if (spikes === undefined) continue;
      const from = firstSpikes + step * spikeBytes;
      this.#spikes.fill(0, from, from + spikeBytes);
      for (let k = 0; k < spikes.count; k += 1) {
        const neuron = spikes.at[k]!;
        this.#spikes[from + (neuron >>> 3)]! |= 1 << (neuron & 7);
      }
      firstSpikes += this.#steps * spikeBytes;
    }
  };

  /** What lies in `memory`, which was recorded with room for `capacity` steps. */
  read(memory: Uint8Array<ArrayBuffer>, capacity: number, steps: number, ended: string): Recording {
    let firstSpikes = CHECKSUM_BYTES * this.#nodes.length * capacity;
    const nodes = this.#nodes.map(({ name, elements, spikeBytes }, n): RecordedNode => {
      const spikes = memory.slice(firstSpikes, firstSpikes + steps * spikeBytes);
      firstSpikes += capacity * spikeBytes;
      const from = CHECKSUM_BYTES * n * capacity;
      const stateChecksums = new Uint32Array(memory.slice(from, from + CHECKSUM_BYTES * steps).buffer);
      return { node: name, elements, spikes, stateChecksums };
    });
    return { steps, nodes, ended };
  }
}

function toRecorded({ name, i, v, y, spikes, isStateful }: RuntimeNode, isSpiking: boolean): Recorded {
  const state = (isStateful ? [i, v] : [y]).filter(({ length }) => length > 0);
  return {
    name,
    elements: y.length,
    state: state.map(({ buffer, byteOffset, length }) => new Int32Array(buffer, byteOffset, length)),
    spikes: isSpiking ? spikes : undefined,
    spikeBytes: isSpiking ? Math.ceil(y.length / 8) : 0,
  };
}
