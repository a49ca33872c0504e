// What only one router at a time may use: the file of operations, and the folder of students. A second router with the same
// settings answers requests, but keeps its operations in memory and refuses to learn.
import { type ProcessLock, lockForProcess } from '../config/process-lock.ts';
import type { Settings } from '../config/schema.ts';
import { operationFile } from '../operations/operation-file.ts';
import type { OperationStore } from '../operations/operations.ts';
import type { Log } from '../telemetry/log.ts';

const IN_MEMORY: OperationStore = { read: () => [], write: () => undefined };

export interface StateLocks {
  readonly operations: OperationStore;
  /** Why this router cannot use the folder of students. Empty: it can. */
  readonly learningRefusal: string;
  release(): void;
}

export function stateLocks({ operations, learning }: Settings, log: Log): StateLocks {
  const ofOperations = lockForProcess(operations.file);
  const ofLearning = lockForProcess(learning.dir);
  if (ofOperations.heldBy !== 0) {
    const text = conflict(ofOperations, operations.file, 'operations.file');
    log.warn(`${text}. Until then a restart of this router forgets its operations`);
  }
  const learningRefusal = ofLearning.heldBy === 0 ? '' : conflict(ofLearning, learning.dir, 'learning.dir');
  if (learningRefusal !== '') log.warn(`${learningRefusal}. Until then this router cannot learn`);
  return {
    operations:
      ofOperations.heldBy === 0
        ? operationFile(operations.file, (err) => log.warn({ err }, 'the file of operations'))
        : IN_MEMORY,
    learningRefusal,
    release: () => {
      ofOperations.release();
      ofLearning.release();
    },
  };
}

function conflict({ heldBy }: ProcessLock, path: string, setting: string): string {
  return `another router (process ${heldBy}) uses ${path}; stop it, or set ${setting} to another path, then restart this router`;
}
