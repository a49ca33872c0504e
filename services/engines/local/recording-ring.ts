// The newest recordings of a simulation worker, in memory that is allocated once, so that a run creates no garbage.
import type { Recording } from '../engine.ts';
import type { RunRecorder } from './run-recorder.ts';

/** A recording larger than this share of the memory is not kept. */
const LARGEST_SHARE = 4;
/** Minimum size of a recording, in words. It bounds their number. */
const LEAST_WORDS = 128;

export class RecordingRing {
  /** The reserved words. */
  readonly memory: Int32Array<ArrayBuffer>;
  // Positions of the recordings, by number modulo the capacity. In memory they are in the order of their numbers and
  // wrap around the end.
  readonly #capacity: number;
  readonly #from: Int32Array;
  readonly #steps: Int32Array;
  readonly #recorder: RunRecorder[] = [];
  readonly #ended: string[] = [];
  #oldest = 1;
  #next = 1;
  /** End of the newest. */
  #end = 0;

  /** 0: none are kept. */
  constructor(maxBytes: number) {
    this.memory = new Int32Array(Math.floor(maxBytes / 4));
    this.#capacity = Math.floor(this.memory.length / LEAST_WORDS) + 1;
    this.#from = new Int32Array(this.#capacity);
    this.#steps = new Int32Array(this.#capacity);
  }

  /**
   * Reserves room for the next run and drops the oldest recordings for it. Returns the first word; -1: the run would be
   * too large.
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

  /** Keeps the run for which room was last reserved. Returns its number, starting at 1. */
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

  /** Drops the oldest recordings that start in this range. */
  #dropBetween(begin: number, end: number): void {
    for (; this.#oldest < this.#next; this.#oldest += 1) {
      const from = this.#from[this.#oldest % this.#capacity]!;
      if (from < begin || from >= end) return;
    }
  }
}
