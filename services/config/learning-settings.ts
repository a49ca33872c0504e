// Settings of students and operations.
import { z } from 'zod';

export const learningSchema = z
  .strictObject({
    dir: z
      .string()
      .min(1)
      .default('.tandem/learning')
      .describe('Folder of the students’ logs; created with the first student.'),
    max_log_bytes: z
      .int()
      .min(65_536)
      .max(4_294_967_296)
      .default(268_435_456)
      .describe('Maximum size of a student’s log; at this size the student stops learning.'),
  })
  .prefault({})
  .describe('LearningService: students that learn from teachers.');

export const operationsSchema = z
  .strictObject({
    file: z
      .string()
      .min(1)
      .default('.tandem/operations.json')
      .describe('File for operations, so that a restart can report what it interrupted.'),
  })
  .prefault({})
  .describe('OperationService: long work, such as learning.');
