import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakePublisher, randomExamples, studentParts, studentSpec } from '../../test/support/learning.ts';
import { xxh64 } from '../engines/xxh64.ts';
import { CommitStatus, type StudentState } from '../generated/tandem/v1/learning.ts';
import { stateBytes } from '../learning/learner-state.ts';
import { Student, logPath } from '../learning/student.ts';
import { Students } from '../learning/students.ts';
import { commitStatusName, toCommit, toState, toStates } from './learning-state.ts';

let dir: string;
let open: { close(): Promise<void> }[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tandem-learning-state-'));
  open = [];
});

afterEach(async () => {
  for (const each of open) await each.close();
  rmSync(dir, { recursive: true, force: true });
});

async function opened(name = 's'): Promise<Student> {
  const student = await Student.open(name, studentParts(dir, new FakePublisher()));
  open.push(student);
  return student;
}

/** A student of those examples, with one commit. */
async function learnt(count: number): Promise<Student> {
  const student = await opened();
  await student.begin(studentSpec());
  for (const example of randomExamples(count, 1)) await student.learn(example);
  await student.commit();
  return student;
}

describe('toState', () => {
  it('has what a student is and what it has learnt', async () => {
    const student = await learnt(100);
    const { state } = student;
    const learner = state.learner!;
    const shown = toState(student);
    expect(shown).toMatchObject({
      ...{ student: 's', base: '', labels: ['x', 'y', 'z'], features: 5, error: '' },
      ...{ examples: BigInt(state.examples), labelled: BigInt(learner.tally.labelled) },
      ...{ heldOut: state.heldOut.length, publishedVersion: 1, versions: [1] },
      stateDigest: xxh64(stateBytes(learner)),
    });
    expect(shown.examples + BigInt(shown.heldOut)).toBe(100n);
    expect(shown.curve).toHaveLength(state.curve.points.length);
  });

  it('has the weight, the regret and the accuracy of each teacher', async () => {
    const student = await learnt(200);
    const { tally, teachers } = student.state.learner!;
    const shown = toState(student).teachers;
    expect(shown.map(({ model }) => model)).toEqual(['a/1', 'b/1', 'liar/1']);
    expect(shown.map(({ weight }) => weight)).toEqual(teachers.weights([true, true, true]));
    expect(shown.map(({ regret }) => regret)).toEqual([...teachers.regrets]);
    expect(shown.map(({ regretBound }) => regretBound)).toEqual([0, 1, 2].map((k) => teachers.bound(k)));
    expect(shown.map(({ accuracy }) => accuracy)).toEqual(
      [...tally.teacherRight].map((right, k) => right / teachers.rounds[k]!),
    );
    expect(shown[0]!.accuracy).toBeGreaterThan(0.5);
    expect(shown[2]!.accuracy).toBe(0);
  });

  it('has an accuracy of 0 for teachers that have not answered, and the whole one after one answer', async () => {
    const student = await opened();
    await student.begin(studentSpec({ heldOutEvery: 1_000 }));
    const scores = [Float32Array.of(1, 0, 0), undefined, undefined];
    await student.learn({ features: Float32Array.of(1, 2, 3, 4, 5), label: 0, scores });
    expect(toState(student).teachers.map(({ accuracy }) => accuracy)).toEqual([1, 0, 0]);
  });

  it('has the points of the curve', async () => {
    const student = await learnt(30);
    const { examples, weights, regrets, bounds, ...accuracies } = student.state.curve.points.at(-1)!;
    expect(toState(student).curve.at(-1)).toEqual({
      ...accuracies,
      ...{ examples: BigInt(examples), weights, regrets, regretBounds: bounds },
    });
  });

  it('has only the name of a student that has not begun', async () => {
    expect(toState(await opened())).toMatchObject({ student: 's', features: 0, teachers: [], stateDigest: 0n });
  });
});

describe('toCommit', () => {
  const numbers = { version: 2, heldOut: 3, accuracy: 0.5, accuracyBefore: 0.25 };
  const commit = { ...numbers, timeMs: 7, examples: 9 };

  it.each([
    [{ version: 2, status: 'PUBLISHED', why: '' } as const, CommitStatus.COMMIT_STATUS_PUBLISHED, ''],
    [{ version: 2, status: 'REJECTED', why: 'worse' } as const, CommitStatus.COMMIT_STATUS_REJECTED, 'worse'],
    [undefined, CommitStatus.COMMIT_STATUS_UNDER_WAY, ''],
  ])('has the outcome %j', (outcome, status, why) => {
    expect(toCommit({ ...commit, outcome })).toEqual({ ...numbers, timeMs: 7n, examples: 9n, status, why });
  });
});

describe('toStates', () => {
  async function states(name: string): Promise<StudentState[]> {
    const students = new Students(studentParts(dir, new FakePublisher()));
    open.push({ close: () => students.stop() });
    await students.start(() => undefined);
    return await toStates(students, name);
  }

  beforeEach(async () => {
    for (const name of ['a', 'b']) {
      const student = await opened(name);
      await student.begin(studentSpec({ student: name }));
      await student.close();
    }
    open = [];
  });

  it('returns one student by its name', async () => {
    expect((await states('b')).map(({ student }) => student)).toEqual(['b']);
  });

  it('refuses an unknown student', async () => {
    await expect(states('x')).rejects.toMatchObject({ kind: 'UNKNOWN_STUDENT' });
  });

  it('returns all students, one that cannot be read with its error', async () => {
    writeFileSync(logPath(dir, 'a'), 'this is no log of a student');
    expect((await states('')).map(({ student, error }) => [student, error])).toEqual([
      ['a', expect.stringMatching(/^the log of student "a" /)],
      ['b', ''],
    ]);
  });
});

it.each([
  [CommitStatus.COMMIT_STATUS_PUBLISHED, 'PUBLISHED'],
  [CommitStatus.COMMIT_STATUS_UNDER_WAY, 'UNDER_WAY'],
])('commitStatusName makes %d to %s', (status, name) => {
  expect(commitStatusName(status)).toBe(name);
});
