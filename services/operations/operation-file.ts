// Stores the operations in one JSON file, which is replaced atomically.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Operation, OperationStore } from './operations.ts';

const schema = z.array(
  z.object({
    ...{ id: z.string(), kind: z.string(), subject: z.string(), result: z.string(), error: z.string() },
    ...{ startedMs: z.number(), endedMs: z.number(), done: z.number(), total: z.number() },
    state: z.enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'INTERRUPTED']),
  }),
);

/** `onProblem` is called if the file cannot be read or written: then operations are only in memory. */
export function operationFile(file: string, onProblem: (error: unknown) => void): OperationStore {
  return {
    read: () => {
      try {
        return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') onProblem(error);
        return [];
      }
    },
    write: (operations: readonly Operation[]) => {
      try {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(`${file}.new`, JSON.stringify(operations));
        renameSync(`${file}.new`, file);
      } catch (error) {
        onProblem(error);
      }
    },
  };
}
