// Formats the state of students for people.
import { hex64 } from '../core/hex.ts';
import {
  type CurvePoint,
  type LearnResponse,
  type StudentCommit,
  type StudentState,
  commitStatusToJSON,
} from '../generated/tandem/v1/learning.ts';
import { sparkline } from './sparkline.ts';
import { table } from './table.ts';
import { bare } from './words.ts';

const CURVE_CELLS = 40;

export function describeLearnt(response: LearnResponse): string {
  const { learnt, heldOut, skipped, skippedReasons, commits, publishedVersion } = response;
  return [
    `${learnt} examples learnt, ${heldOut} held out for validation, ${skipped} skipped`,
    ...skippedReasons.map((reason) => `  ${reason}`),
    ...(commits.length === 0 ? ['nothing new to publish'] : ['', table(COMMIT_HEAD, commits.map(commitRow))]),
    '',
    publishedVersion === 0 ? 'no version is in use' : `version ${publishedVersion} is in use`,
  ].join('\n');
}

export function describeStates(students: readonly StudentState[]): string {
  if (students.length === 0)
    return 'There are no students. Teach one: npx tandem learn FILE --student NAME --labels A,B';
  return students.map(describeState).join('\n\n');
}

function describeState(state: StudentState): string {
  const { student, error, publishedVersion, base, features, labels, examples, labelled, heldOut, teachers, curve } =
    state;
  if (error !== '') return `${student}: ${error}`;
  return [
    `${student}${publishedVersion > 0 ? `/${publishedVersion} is in use` : ', no version in use'}: ` +
      `${features} numbers of ${base || 'the input'} → ${labels.length} labels`,
    `${examples} examples, ${labelled} of them labelled; ${heldOut} held out; state ${hex64(state.stateDigest)}`,
    ...(teachers.length === 0
      ? []
      : [
          '',
          table(
            TEACHER_HEAD,
            teachers.map((each, k) => teacherRow(each, curve, k)),
          ),
        ]),
    ...(curve.length < 2 ? [] : ['', ...curves(curve)]),
    ...(state.commits.length === 0 ? [] : ['', table(COMMIT_HEAD, state.commits.map(commitRow))]),
  ].join('\n');
}

const TEACHER_HEAD = ['TEACHER', 'WEIGHT', 'ACCURACY', 'REGRET', 'BOUND', 'WEIGHT OVER TIME'];
const COMMIT_HEAD = ['VERSION', 'STATUS', 'EXAMPLES', 'HELD OUT', 'ACCURACY', 'BEFORE', 'WHY'];

function teacherRow(teacher: StudentState['teachers'][number], curve: readonly CurvePoint[], k: number): string[] {
  const { model, weight, accuracy, regret, regretBound } = teacher;
  const line = sparkline(
    curve.map(({ weights }) => weights[k] ?? 0),
    CURVE_CELLS,
  );
  return [model, weight.toFixed(3), percent(accuracy), regret.toFixed(2), regretBound.toFixed(2), line];
}

function curves(curve: readonly CurvePoint[]): string[] {
  const line = (name: string, of: (point: CurvePoint) => number): string =>
    `${name.padEnd(20)}${sparkline(curve.map(of), CURVE_CELLS)}  ${percent(of(curve.at(-1)!))}`;
  return [
    line('student’s accuracy', ({ studentAccuracy }) => studentAccuracy),
    line('consensus’ accuracy', ({ consensusAccuracy }) => consensusAccuracy),
  ];
}

function commitRow({ version, status, examples, heldOut, accuracy, accuracyBefore, why }: StudentCommit): string[] {
  const state = bare(commitStatusToJSON(status), 'COMMIT_STATUS_').toLowerCase().replace('_', ' ');
  const before = accuracyBefore === 0 ? '-' : percent(accuracyBefore);
  return [String(version), state, String(examples), String(heldOut), percent(accuracy), before, why || '-'];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
