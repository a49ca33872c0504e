// The newest recordings of a simulation worker, in memory that is taken once: a run leaves nothing to the garbage collector.
import type { Recording } from '../engine.ts';
import type { RunRecorder } from './run-recorder.ts';

/** One that takes more than this part of the memory is not kept. */
const LARGEST_SHARE = 4;
/** What a recording takes at least, in words. It bounds how many there are. */
const LEAST_WORDS = 128;

export class RecordingRing {
  /** What is reserved lies here. */
  readonly memory: Int32Array<ArrayBuffer>;
  // Of the recordings, by their number modulo the capacity. They lie in the memory in the order of their numbers, around its
  // end.
  readonly #capacity: number;
  readonly #from: Int32Array;
  readonly #steps: Int32Array;
  readonly #recorder: RunRecorder[] = [];
  readonly #ended: string[] = [];
  #oldest = 1;
  #next = 1;
  /** Where the newest ends. */
  #end = 0;

  /** 0: nothing is kept. */
  constructor(maxBytes: number) {
    this.memory = new Int32Array(Math.floor(maxBytes / 4));
    this.#capacity = Math.floor(this.memory.length / LEAST_WORDS) + 1;
    this.#from = new Int32Array(this.#capacity);
    this.#steps = new Int32Array(this.#capacity);
  }

  /**
   * Makes room for the run that comes next, in place of the oldest recordings. Returns its first word; -1: the run would be
   * too large to keep.
   */
  reserve(words: number): number {
    const taken = Math.max(LEAST_WORDS, words);
    if (taken > this.memory.length / LARGEST_SHARE) return -1;
    if (this.#end + taken > this.memory.length) {
      this.#dropBetween(this.#end, this.memory.length);
      this.#end = 0;
    }
    this.#dropBetween(this.#end, this.#end + taken);
    return this.#end;
  }

  /** Keeps the run for which room was reserved last. Returns its number, from 1 on. */
  keep(recorder: RunRecorder, words: number, steps: number, ended: string): number {
    const at = this.#next % this.#capacity;
    this.#from[at] = this.#end;
    this.#steps[at] = steps;
    this.#recorder[at] = recorder;
    this.#ended[at] = ended;
    this.#end += Math.max(LEAST_WORDS, words);
    this.#next += 1;
    return this.#next - 1;
  }

  find(number: number): Recording | undefined {
    if (number < this.#oldest || number >= this.#next) return undefined;
    const at = number % this.#capacity;
    return this.#recorder[at]!.read(this.memory, this.#from[at]!, this.#steps[at]!, this.#ended[at]!);
  }

  get count(): number {
    return this.#next - this.#oldest;
  }

  /** Drops the oldest as long as they begin there. */
  #dropBetween(begin: number, end: number): void {
    for (; this.#oldest < this.#next; this.#oldest += 1) {
      const from = this.#from[this.#oldest % this.#capacity]!;
      if (from < begin || from >= end) return;
    }
  }
}
