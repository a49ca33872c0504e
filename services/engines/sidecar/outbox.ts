// What waits to be sent over one InferStream, cut into messages that the engine accepts.
import type { InferJob } from './infer-job.ts';

/** Limits of one message, below what an engine accepts as a rule. A larger item travels alone. */
const MAX_ITEMS = 256;
const MAX_BYTES = 1_048_576;
const MAX_CANCELS = 1_000;
/** Encoded at most: a cancelled id; the message's own fields. */
const CANCEL_BYTES = 10;
const MESSAGE_BYTES = 16;

export interface OutgoingMessage {
  readonly jobs: readonly InferJob[];
  readonly cancelIds: readonly number[];
}

/** The most bytes that a message with this job's input alone can have. */
export function messageBytes({ maxBytes }: InferJob): number {
  return MESSAGE_BYTES + maxBytes;
}

export class Outbox {
  readonly #maxBytes: number;
  #jobs: InferJob[] = [];
  #cancelIds: number[] = [];

  /** `maxMessageBytes`: what the engine accepts. Jobs that are larger must not be added. */
  constructor(maxMessageBytes: number) {
    this.#maxBytes = Math.min(MAX_BYTES, maxMessageBytes);
  }

  get isEmpty(): boolean {
    return this.#jobs.length === 0 && this.#cancelIds.length === 0;
  }

  add(job: InferJob): void {
    this.#jobs.push(job);
  }

  /** Takes back what was not sent; tells the engine of what was. Returns true if it was sent. */
  cancel(job: InferJob): boolean {
    const unsent = this.#jobs.indexOf(job);
    if (unsent >= 0) this.#jobs.splice(unsent, 1);
    else this.#cancelIds.push(job.id);
    return unsent < 0;
  }

  /** The next message. Cancellations go first: a large item must not be made larger by them. */
  take(): OutgoingMessage {
    const cancelIds = this.#cancelIds.splice(0, MAX_CANCELS);
    let bytes = MESSAGE_BYTES + CANCEL_BYTES * cancelIds.length;
    let count = 0;
    for (const { maxBytes } of this.#jobs) {
      bytes += maxBytes;
      const isAlone = count === 0 && cancelIds.length === 0;
      if (count === MAX_ITEMS || (!isAlone && bytes > this.#maxBytes)) break;
      count += 1;
    }
    if (count < this.#jobs.length) return { jobs: this.#jobs.splice(0, count), cancelIds };
    const jobs = this.#jobs;
    this.#jobs = [];
    return { jobs, cancelIds };
  }
}
