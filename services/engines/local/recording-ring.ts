// The newest recordings of a simulation worker, in one piece of memory that is taken once.
import type { Recording } from '../engine.ts';
import type { RunRecorder } from './run-recorder.ts';

/** One that takes more than this part of the memory is not kept. */
const LARGEST_SHARE = 4;
/** What a recording takes at least: its entry is memory, too. */
const LEAST_BYTES = 256;

interface Entry {
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly recorder: RunRecorder;
  readonly capacity: number;
  readonly steps: number;
  readonly ended: string;
}

export class RecordingRing {
  readonly #bytes: ArrayBuffer;
  /** By number, oldest first. They lie in the memory in this order, around its end. */
  readonly #entries = new Map<number, Entry>();
  #at = 0;
  #last = 0;

  /** 0: nothing is kept. */
  constructor(maxBytes: number) {
    this.#bytes = new ArrayBuffer(maxBytes - (maxBytes % 4));
  }

  /** Memory for the run that comes next, in place of the oldest recordings; undefined: it would be too large to keep. */
  reserve(bytes: number): Uint8Array<ArrayBuffer> | undefined {
    const taken = sizeOf(bytes);
    if (taken > this.#bytes.byteLength / LARGEST_SHARE) return undefined;
    if (this.#at + taken > this.#bytes.byteLength) {
      this.#dropWhile(({ byteOffset }) => byteOffset >= this.#at);
      this.#at = 0;
    }
    const end = this.#at + taken;
    this.#dropWhile(({ byteOffset }) => byteOffset >= this.#at && byteOffset < end);
    return new Uint8Array(this.#bytes, this.#at, bytes);
  }

  /** Keeps what was reserved last. Returns its number, from 1 on. */
  keep(entry: Entry): number {
    this.#at += sizeOf(entry.memory.byteLength);
    this.#last += 1;
    this.#entries.set(this.#last, entry);
    return this.#last;
  }

  find(number: number): Recording | undefined {
    const entry = this.#entries.get(number);
    return entry?.recorder.read(entry.memory, entry.capacity, entry.steps, entry.ended);
  }

  get count(): number {
    return this.#entries.size;
  }

  #dropWhile(isInTheWay: (memory: Uint8Array) => boolean): void {
    for (const [number, { memory }] of this.#entries) {
      if (!isInTheWay(memory)) return;
      this.#entries.delete(number);
    }
  }
}

function sizeOf(bytes: number): number {
  return Math.max(LEAST_BYTES, Math.ceil(bytes / 4) * 4);
}
