// The newest recordings of a simulation worker, in one piece of memory that is taken once.
import type { Recording } from '../engine.ts';
import type { RunRecorder } from './run-recorder.ts';

/** One that takes more than this part of the memory is not kept. */
const LARGEST_SHARE = 4;
/** What a recording takes at least, in words: its entry is memory, too. */
const LEAST_WORDS = 64;

interface Entry {
  /** Words of the memory. */
  readonly from: number;
  readonly recorder: RunRecorder;
  readonly steps: number;
  readonly ended: string;
}

export class RecordingRing {
  /** What is reserved lies here. */
  readonly memory: Int32Array<ArrayBuffer>;
  /** By number, oldest first. They lie in the memory in this order, around its end. */
  readonly #entries = new Map<number, Entry>();
  #end = 0;
  #last = 0;

  /** 0: nothing is kept. */
  constructor(maxBytes: number) {
    this.memory = new Int32Array(Math.floor(maxBytes / 4));
  }

  /**
   * Makes room for the run that comes next, in place of the oldest recordings. Returns its first word; undefined: the run
   * would be too large to keep.
   */
  reserve(words: number): number | undefined {
    const taken = Math.max(LEAST_WORDS, words);
    if (taken > this.memory.length / LARGEST_SHARE) return undefined;
    let from = this.#end;
    if (from + taken > this.memory.length) {
      this.#dropBetween(from, this.memory.length);
      from = 0;
    }
    this.#dropBetween(from, from + taken);
    this.#end = from;
    return from;
  }

  /** Keeps what was reserved last. Returns its number, from 1 on. */
  keep(entry: Entry, words: number): number {
    this.#end = entry.from + Math.max(LEAST_WORDS, words);
    this.#last += 1;
    this.#entries.set(this.#last, entry);
    return this.#last;
  }

  find(number: number): Recording | undefined {
    const entry = this.#entries.get(number);
    return entry?.recorder.read(this.memory, entry.from, entry.steps, entry.ended);
  }

  get count(): number {
    return this.#entries.size;
  }

  /** Drops the oldest as long as they begin there. */
  #dropBetween(begin: number, end: number): void {
    for (const [number, { from }] of this.#entries) {
      if (from < begin || from >= end) return;
      this.#entries.delete(number);
    }
  }
}
