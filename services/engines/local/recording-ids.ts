// Which worker holds a recording: its id says so. Ids start at a random number, so that processes do not share them.
import { randomBytes } from 'node:crypto';

/** Recordings of one thread that are told apart. */
const A_LIFE = 2n ** 40n;
/** Threads of one worker, one after the other, that are told apart. */
const LIVES = 1024n;
/** Leaves room above the largest start, and 0 below it: that id means "not recorded". */
const START_BITS = 63n;

export class RecordingIds {
  readonly #start = BigInt.asUintN(Number(START_BITS), randomBytes(8).readBigUInt64LE()) + 1n;

  /** What the ids of that worker in that life count from: the thread's own numbers, from 1 on, are added to it. */
  base(worker: number, life: number): bigint {
    return this.#start + (BigInt(worker) * LIVES + (BigInt(life) % LIVES)) * A_LIFE;
  }

  /** The thread's own number, where the id is one of that worker in that life. */
  numberOf(id: bigint, worker: number, life: number): number | undefined {
    const number = id - this.base(worker, life);
    return number >= 1n && number < A_LIFE ? Number(number) : undefined;
  }
}
