// Learns all examples of a log again, and compares the state of each commit to the bit.
import { open } from 'node:fs/promises';
import { xxh64 } from '../engines/xxh64.ts';
import { stateBytes } from './learner-state.ts';
import { readLog } from './learning-log.ts';
import { StudentState } from './student-state.ts';

interface ReplayResult {
  readonly examples: number;
  readonly commits: number;
  /** XXH64 of the state at the end; 0n: the log is empty. */
  readonly digest: bigint;
}

/** Rejects with LogError or ReplayDiffers. */
export async function replayLog(path: string): Promise<ReplayResult> {
  const file = await open(path, 'r');
  try {
    const state = new StudentState();
    await readLog(file, (record) => state.apply(record));
    const { examples, commits, learner } = state;
    return { examples, commits: commits.length, digest: learner === undefined ? 0n : xxh64(stateBytes(learner)) };
  } finally {
    await file.close();
  }
}
