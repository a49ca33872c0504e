// Students, and long work.
import { z } from 'zod';

export const learningSchema = z
  .strictObject({
    dir: z
      .string()
      .min(1)
      .default('.tandem/learning')
      .describe('Folder of the students’ logs; made when the first student begins.'),
    max_log_bytes: z
      .int()
      .min(65_536)
      .max(4_294_967_296)
      .default(268_435_456)
      .describe('Size at which a student’s log is full, and the student learns nothing more.'),
  })
  .prefault({})
  .describe('LearningService: students that learn from teachers.');

export const operationsSchema = z
  .strictObject({
    file: z
      .string()
      .min(1)
      .default('.tandem/operations.json')
      .describe('Where operations are kept, so that a restart says what it has interrupted.'),
  })
  .prefault({})
  .describe('OperationService: long work, such as learning.');
