// Converts the state of students to messages.
import { withoutPrefix } from '../core/enum-name.ts';
import { RouterError } from '../core/errors.ts';
import { xxh64 } from '../engines/xxh64.ts';
import {
  CommitStatus,
  type CurvePoint as CurvePointMessage,
  StudentState as StudentStateMessage,
  type StudentCommit,
  type TeacherState,
  commitStatusToJSON,
} from '../generated/tandem/v1/learning.ts';
import type { CurvePoint } from '../learning/curve.ts';
import { stateBytes } from '../learning/learner-state.ts';
import type { Learner } from '../learning/learner.ts';
import type { CommitRecord } from '../learning/student-state.ts';
import type { Student } from '../learning/student.ts';
import type { Students } from '../learning/students.ts';

/**
 * `name` empty: all students. Throws UNKNOWN_STUDENT. In a list, a student that cannot be read has its error instead.
 */
export async function toStates(students: Students, name: string): Promise<StudentStateMessage[]> {
  if (name !== '') return [toState(await students.find(name))];
  return await Promise.all(
    students.names.map(async (student) => {
      try {
        return toState(await students.find(student));
      } catch (thrown) {
        return StudentStateMessage.fromPartial({ student, error: RouterError.from(thrown).message });
      }
    }),
  );
}

export function toState({ name, state }: Student): StudentStateMessage {
  const { learner, spec } = state;
  if (learner === undefined || spec === undefined) return StudentStateMessage.fromPartial({ student: name });
  return {
    ...{ student: name, base: spec.base, labels: [...spec.labels], features: spec.features },
    teachers: toTeachers(learner),
    examples: BigInt(state.examples),
    labelled: BigInt(learner.tally.labelled),
    heldOut: state.heldOut.length,
    publishedVersion: state.published,
    versions: state.versions,
    commits: state.commits.map(toCommit),
    curve: state.curve.points.map(toPoint),
    stateDigest: xxh64(stateBytes(learner)),
    error: '',
  };
}

export function toCommit({ outcome, timeMs, examples, ...commit }: CommitRecord): StudentCommit {
  return {
    ...commit,
    timeMs: BigInt(timeMs),
    examples: BigInt(examples),
    status: CommitStatus[`COMMIT_STATUS_${outcome?.status ?? 'UNDER_WAY'}`],
    why: outcome?.why ?? '',
  };
}

function toTeachers({ spec, teachers, tally }: Learner): TeacherState[] {
  const weights = teachers.weights(spec.teachers.map(() => true));
  return spec.teachers.map((model, k) => ({
    model,
    weight: weights[k]!,
    regret: teachers.regrets[k]!,
    regretBound: teachers.bound(k),
    accuracy: teachers.rounds[k]! > 0 ? tally.teacherRight[k]! / teachers.rounds[k]! : 0,
  }));
}

function toPoint({ examples, weights, regrets, bounds, teacherAccuracy, ...accuracy }: CurvePoint): CurvePointMessage {
  return {
    ...accuracy,
    examples: BigInt(examples),
    ...{ weights: [...weights], regrets: [...regrets], regretBounds: [...bounds] },
    teacherAccuracy: [...teacherAccuracy],
  };
}

/** Example: "PUBLISHED". */
export function commitStatusName(status: CommitStatus): string {
  return withoutPrefix(commitStatusToJSON(status), 'COMMIT_STATUS_');
}
