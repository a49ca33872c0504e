// The send queue of one InferStream, split into messages that the engine accepts.
import type { InferJob } from './infer-job.ts';

/** Limits of one message, usually below what an engine accepts. A larger item is sent alone. */
const MAX_ITEMS = 256;
const MAX_BYTES = 1_048_576;
const MAX_CANCELS = 1_000;
/** Maximum encoded size of a cancelled id, and of the message's own fields. */
const CANCEL_BYTES = 10;
const MESSAGE_BYTES = 16;

export interface OutgoingMessage {
  readonly jobs: readonly InferJob[];
  readonly cancelIds: readonly number[];
}

/** Maximum size of a message with only this job's input. */
export function messageBytes({ maxBytes }: InferJob): number {
  return MESSAGE_BYTES + maxBytes;
}

export class Outbox {
  readonly #maxBytes: number;
  #jobs: InferJob[] = [];
  #cancelIds: number[] = [];

  /** `maxMessageBytes`: limit of the engine. Larger jobs must not be added. */
  constructor(maxMessageBytes: number) {
    this.#maxBytes = Math.min(MAX_BYTES, maxMessageBytes);
  }

  get isEmpty(): boolean {
    return this.#jobs.length === 0 && this.#cancelIds.length === 0;
  }

  add(job: InferJob): void {
    this.#jobs.push(job);
  }

  /** Removes an unsent job, or tells the engine to cancel a sent one. Returns true if it was sent. */
  cancel(job: InferJob): boolean {
    const unsent = this.#jobs.indexOf(job);
    if (unsent >= 0) this.#jobs.splice(unsent, 1);
    else this.#cancelIds.push(job.id);
    return unsent < 0;
  }

  /** The next message. Cancellations are sent first, so that they do not make a large item larger. */
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
