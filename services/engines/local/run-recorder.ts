// Records a run while it runs: proto/NUMERICS.md, "Recording". Allocates nothing after its construction.
import type { RecordedNode, Recording } from '../engine.ts';
import { isSpiking, isStateful } from './node-types.ts';
import type { RecordKernel } from './record-kernel.ts';
import { partsOfRow } from './record-kernel.ts';
import { wordsOf } from './recorder-memory.ts';
import type { Simulator } from './simulator.ts';

interface Recorded {
  readonly name: string;
  readonly elements: number;
  /** Words of its spikes in each step; 0: it does not spike. */
  readonly spikeBytes: number;
  /** Its offset in the words of a step: its checksum, followed by its spikes. */
  readonly at: number;
  /** The word with its last spikes, and the mask of its neurons' bits. */
  readonly lastWord: number;
  readonly lastBits: number;
  readonly parameters: Parameters<RecordKernel['record']>;
}

/** One for each simulator; records one run after another. */
export class RunRecorder {
  readonly #nodes: readonly Recorded[];
  readonly #kernel: RecordKernel;
  /** For the current step. */
  readonly #step: Int32Array;
  #memory = new Int32Array(0);
  #from = 0;

  constructor({ network, nodes, arena }: Simulator) {
    const recorded = network.nodes.flatMap(({ type }, index) => {
      if (!isStateful(type) && !isSpiking(type) && index !== network.readout) return [];
      return [{ node: nodes[index]!, spikes: isSpiking(type) }];
    });
    const words = recorded.map(({ node, spikes }) => wordsOf(node.y.length, spikes));
    this.#step = arena.ints(words.reduce((sum, each) => sum + each, 0));
    this.#kernel = arena.recording;
    let at = 0;
    this.#nodes = recorded.map(({ node: { name, isStateful, i, v, y }, spikes }, n) => {
      const elements = y.length;
      const second = isStateful ? v : y;
      const first = i.length > 0 ? i : second;
      const [from, to] = [y.byteOffset, spikes ? y.byteOffset + y.byteLength : y.byteOffset];
      const rows = [first.byteOffset, second.byteOffset] as const;
      const one: Recorded = {
        name,
        elements,
        spikeBytes: spikes ? Math.ceil(elements / 8) : 0,
        at,
        lastWord: at + words[n]! - 1,
        lastBits: spikes && elements % 32 > 0 ? 2 ** (elements % 32) - 1 : -1,
        parameters: [...rows, ...partsOfRow(elements), from, to, this.#step.byteOffset + 4 * at],
      };
      at += words[n]!;
      return one;
    });
  }

  /** Size of a run with this many steps, in 4-byte words. */
  wordsFor(steps: number): number {
    return this.#step.length * steps;
  }

  /** Starts the next run, which is written to `memory` from word `from` on. */
  start(memory: Int32Array<ArrayBuffer>, from: number): void {
    this.#memory = memory;
    this.#from = from;
  }

  /** Records the step that has just succeeded. */
  readonly record = (step: number): void => {
    const words = this.#step;
    const kernel = this.#kernel;
    for (let n = 0; n < this.#nodes.length; n += 1) {
      const { parameters: p, lastWord, lastBits } = this.#nodes[n]!;
      kernel.record(p[0], p[1], p[2], p[3], p[4], p[5], p[6]);
      words[lastWord]! &= lastBits;
    }
    const from = this.#from + step * words.length;
    const memory = this.#memory;
    for (let k = 0; k < words.length; k += 1) memory[from + k] = words[k]!;
  };

  /** The recording in `memory` from word `from` on. */
  read(memory: Int32Array<ArrayBuffer>, from: number, steps: number, ended: string): Recording {
    const nodes = this.#nodes.map(({ name, elements, spikeBytes, at }): RecordedNode => {
      const stateChecksums = new Uint32Array(steps);
      const spikes = new Uint8Array(steps * spikeBytes);
      for (let step = 0; step < steps; step += 1) {
        const word = from + step * this.#step.length + at;
        stateChecksums[step] = memory[word]!;
        spikes.set(new Uint8Array(memory.buffer, memory.byteOffset + 4 * (word + 1), spikeBytes), step * spikeBytes);
      }
      return { node: name, elements, spikes, stateChecksums };
    });
    return { steps, nodes, ended };
  }
}
