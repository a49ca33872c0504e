// Reads the plan of a Learn call from its first message.
import { RouterError } from '../core/errors.ts';
import type { LearnStart } from '../generated/tandem/v1/learning.ts';
import type { LearnPlan } from '../learning/learn-session.ts';
import type { ModelFiles } from '../learning/student-nir.ts';
import { type FindVersion, type TeacherGroup, keyOf, teacherGroup, versionOf } from '../learning/teachers.ts';

const MAX_LABELS = 4_096;
const MAX_RATE = 16;
const MAX_HELD_OUT_EVERY = 1_000;
const HELD_OUT_EVERY = 5;
const RATE = 0.5;

export interface LearnPlanParts {
  /** Throws UNKNOWN_MODEL. */
  readonly findVersion: FindVersion;
  /** Labels of a model "name/version". */
  readonly filesOf: (model: string) => ModelFiles;
}

/** Rejects with INVALID_FIELD or UNKNOWN_MODEL. */
export async function toPlan(start: LearnStart, { findVersion, filesOf }: LearnPlanParts): Promise<LearnPlan> {
  const { student, learningRate, heldOutEvery, commitEvery } = start;
  if (!(learningRate >= 0 && learningRate <= MAX_RATE)) {
    throw invalid('learning_rate', `is ${learningRate}; send a number above 0, at most ${MAX_RATE}, or 0 for ${RATE}`);
  }
  if (heldOutEvery === 1 || heldOutEvery > MAX_HELD_OUT_EVERY) {
    throw invalid('held_out_every', `is ${heldOutEvery}; send 2 to ${MAX_HELD_OUT_EVERY}, or 0 for ${HELD_OUT_EVERY}`);
  }
  let base = '';
  if (start.base !== '') {
    base = keyOf(versionOf(start.base, 'start.base', findVersion));
    // HDF5's library takes 40 MB for good, which a router that teaches nobody does not need.
    const { checkBase } = await import('../learning/student-nir.ts');
    checkBase(filesOf(base));
  }
  return {
    ...{ student, base, commitEvery },
    teachers: groupOf(start, findVersion),
    rate: learningRate || RATE,
    heldOutEvery: heldOutEvery || HELD_OUT_EVERY,
  };
}

function groupOf({ teachers, labels }: LearnStart, findVersion: FindVersion): TeacherGroup {
  if (teachers.length === 0) {
    const isDistinct = new Set(labels).size === labels.length && !labels.includes('');
    if (isDistinct && labels.length >= 2 && labels.length <= MAX_LABELS) return { labels, teachers: [] };
    throw invalid(
      'labels',
      `has ${labels.length} texts; without teachers send 2 to ${MAX_LABELS} that differ, none empty`,
    );
  }
  if (labels.length > 0) throw invalid('labels', 'is set beside teachers; leave it out, since the student has theirs');
  return teacherGroup(teachers, findVersion, 'start.teachers');
}

function invalid(field: string, problem: string): RouterError {
  return new RouterError('INVALID_FIELD', `${field} ${problem}`, { field: `start.${field}` });
}
