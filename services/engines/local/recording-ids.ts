// Encodes the worker of a recording in its id. Ids start at a random number, so that processes use different ids.
import { randomBytes } from 'node:crypto';

/** Number of distinguishable recordings of one thread. */
const A_LIFE = 2n ** 40n;
/** Number of distinguishable successive threads of one worker. */
const LIVES = 1024n;
/** Leaves room above the largest start, and 0 below it: that id means "not recorded". */
const START_BITS = 63n;

export class RecordingIds {
  readonly #start = BigInt.asUintN(Number(START_BITS), randomBytes(8).readBigUInt64LE()) + 1n;

  /** Base of the ids of one thread of a worker. The thread's own numbers, starting at 1, are added to it. */
  base(worker: number, life: number): bigint {
    return this.#start + (BigInt(worker) * LIVES + (BigInt(life) % LIVES)) * A_LIFE;
  }

  /** The thread's own number, if the id belongs to this thread of this worker. */
  numberOf(id: bigint, worker: number, life: number): number | undefined {
    const number = id - this.base(worker, life);
    return number >= 1n && number < A_LIFE ? Number(number) : undefined;
  }
}
