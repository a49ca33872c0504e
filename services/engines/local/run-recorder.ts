// Keeps what a run does while it runs: proto/NUMERICS.md, "Recording". Allocates nothing after its construction.
import type { RecordedNode, Recording } from '../engine.ts';
import { isSpiking, isStateful } from './node-types.ts';
import type { RecordKernel } from './record-kernel.ts';
import { partsOfRow } from './record-kernel.ts';
import { wordsOf } from './recorder-memory.ts';
import type { Simulator } from './simulator.ts';

interface Recorded {
  readonly name: string;
  readonly elements: number;
  /** A step; 0: it does not spike. */
  readonly spikeBytes: number;
  /** Where it stands among the words of a step: its checksum, and behind it its spikes. */
  readonly at: number;
  /** The word with its last spikes, and which of its bits are neurons. */
  readonly lastWord: number;
  readonly lastBits: number;
  readonly parameters: Parameters<RecordKernel['record']>;
}

/** Of one simulator, for one run after the other. One for each simulator. */
export class RunRecorder {
  readonly #nodes: readonly Recorded[];
  readonly #kernel: RecordKernel;
  /** Of the step at hand. */
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

  /** 4-byte words that a run of so many steps takes. */
  wordsFor(steps: number): number {
    return this.#step.length * steps;
  }

  /** The run that comes next goes to `memory`, from word `from` on. */
  start(memory: Int32Array<ArrayBuffer>, from: number): void {
    this.#memory = memory;
    this.#from = from;
  }

  /** Of the step that has just ended well. */
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

  /** What lies in `memory` from word `from` on. */
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
