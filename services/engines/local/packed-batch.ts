// A batch of jobs on its way to a simulation worker: one block of bytes, because cloning an object for each job costs a third of
// a small simulation.
import type { Detail } from '../../core/inference.ts';
import type { Job } from './messages.ts';

/** Transferred, not copied. */
export interface PackedBatch {
  /** Those of the jobs, each once. */
  readonly models: readonly string[];
  readonly count: number;
  /** The numbers of all jobs, followed by their data. */
  readonly bytes: ArrayBuffer;
}

/** A job with its input and its initial state. */
export interface JobData {
  readonly job: Omit<Job, 'offset' | 'stateOffset'>;
  readonly data: Uint8Array;
  readonly state: Uint8Array;
}

const DETAILS = ['SUMMARY', 'LAYERS', 'RASTER', 'READOUT'] as const satisfies readonly Detail[];
/** Binary64 numbers of a job. */
const NUMBERS = 11;

export function packBatch(jobs: readonly JobData[]): PackedBatch {
  const headBytes = 8 * NUMBERS * jobs.length;
  const dataBytes = jobs.reduce((sum, { data, state }) => sum + wholeWords(data) + wholeWords(state), 0);
  const bytes = new Uint8Array(headBytes + dataBytes);
  const numbers = new Float64Array(bytes.buffer, 0, NUMBERS * jobs.length);
  const models: string[] = [];
  let at = headBytes;
  for (const [n, { job, data, state }] of jobs.entries()) {
    if (!models.includes(job.model)) models.push(job.model);
    const stateOffset = at + wholeWords(data);
    const ofJob = NUMBERS * n;
    numbers[ofJob] = job.slot;
    numbers[ofJob + 1] = models.indexOf(job.model);
    numbers[ofJob + 2] = job.steps;
    numbers[ofJob + 3] = at / 4;
    numbers[ofJob + 4] = job.length;
    numbers[ofJob + 5] = stateOffset;
    numbers[ofJob + 6] = job.stateLength;
    numbers[ofJob + 7] = (job.returnState ? 1 : 0) + (job.digestOnly ? 2 : 0);
    numbers[ofJob + 8] = DETAILS.indexOf(job.detail);
    numbers[ofJob + 9] = job.receivedMs;
    numbers[ofJob + 10] = job.deadlineMs;
    bytes.set(data, at);
    bytes.set(state, stateOffset);
    at = stateOffset + wholeWords(state);
  }
  return { models, count: jobs.length, bytes: bytes.buffer };
}

export function unpackBatch({ models, count, bytes }: PackedBatch): Job[] {
  const numbers = new Float64Array(bytes, 0, NUMBERS * count);
  return Array.from({ length: count }, (_, n): Job => {
    const ofJob = NUMBERS * n;
    const flags = numbers[ofJob + 7]!;
    return {
      slot: numbers[ofJob]!,
      model: models[numbers[ofJob + 1]!]!,
      steps: numbers[ofJob + 2]!,
      offset: numbers[ofJob + 3]!,
      length: numbers[ofJob + 4]!,
      stateOffset: numbers[ofJob + 5]!,
      stateLength: numbers[ofJob + 6]!,
      returnState: flags % 2 === 1,
      digestOnly: flags >= 2,
      detail: DETAILS[numbers[ofJob + 8]!]!,
      receivedMs: numbers[ofJob + 9]!,
      deadlineMs: numbers[ofJob + 10]!,
    };
  });
}

/** Rounds up to the next multiple of 4. */
function wholeWords({ length }: Uint8Array): number {
  return Math.ceil(length / 4) * 4;
}
