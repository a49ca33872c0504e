import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { callMethod, unaryOptions } from '../../test/fakes/call-method.ts';
import { fakeInference } from '../../test/fakes/fake-engine.ts';
import { version } from '../../test/fakes/router-parts.ts';
import { FakePublisher, randomExamples, studentParts, studentSpec } from '../../test/support/learning.ts';
import { refusalOf } from '../../test/support/refusal.ts';
import { RouterError } from '../core/errors.ts';
import {
  CoordinateRequest,
  type CoordinateResponse,
  LearningServiceService,
  TeacherAnswer,
} from '../generated/tandem/v1/learning.ts';
import { EngineKind, Grade } from '../generated/tandem/v1/types.ts';
import type { StudentSpec } from '../learning/learner.ts';
import { Students } from '../learning/students.ts';
import { Operations } from '../operations/operations.ts';
import type { ReasonQuestion } from '../routing/question.ts';
import type { Router } from '../routing/router.ts';
import { learningMethods } from './learning.ts';

const LABELS = ['x', 'y', 'z'];
const dir = mkdtempSync(join(tmpdir(), 'tandem-learning-'));
const publisher = new FakePublisher();
const students = new Students(studentParts(dir, publisher));

let questions: ReasonQuestion[];
/** By model; a teacher without scores fails. */
let scoresOf: Record<string, number[]>;

const router = {
  reason: (question: ReasonQuestion) => {
    questions.push(question);
    const scores = scoresOf[question.model];
    if (scores === undefined) {
      return Promise.reject(new RouterError('NO_ENGINE', `no engine holds ${question.model}`, { retryAfterMs: 9.5 }));
    }
    const labelIndex = scores.indexOf(Math.max(...scores));
    const engine = { id: `engine of ${question.model}`, kind: 'local', build: 'build' };
    const answer = { scores, labelIndex, label: LABELS[labelIndex], confidence: scores[labelIndex], engine };
    return Promise.resolve({ grade: 'SINGLE', answer: { ...answer, inference: fakeInference() } });
  },
} as unknown as Router;

const readout = { from: 'spike_count', labels: LABELS, temperature: 1 } as const;
const methods = learningMethods(
  {
    ...{ router, students, operations: new Operations({ read: () => [], write: () => undefined }) },
    findVersion: (name) => version(1, { name, readout }),
    filesOf: () => expect.anything() as never,
  },
  { ...unaryOptions(), drained: new AbortController().signal },
);

const { coordinate, getLearningState, rollBackStudent } = LearningServiceService;

function ask(over: Partial<CoordinateRequest>): Promise<CoordinateResponse> {
  return callMethod(methods, coordinate, CoordinateRequest.fromPartial({ encoding: [1, 2], ...over }));
}

async function teach(spec: StudentSpec, count = 100): Promise<void> {
  await students.teach(spec.student, async (student) => {
    await student.begin(spec);
    for (const example of randomExamples(count, 1, spec)) await student.learn(example);
    await student.commit();
  });
}

beforeAll(() => students.start(() => undefined));

afterAll(async () => {
  await students.stop();
  rmSync(dir, { recursive: true, force: true });
});

beforeEach(() => {
  questions = [];
  scoresOf = { a: [0.75, 0.25, 0], b: [0, 1, 0] };
});

describe('Coordinate', () => {
  it('returns the mean of the teachers, who have equal weights', async () => {
    expect(await ask({ teachers: ['a', 'b'] })).toMatchObject({
      ...{ label: 'y', labelIndex: 1, confidence: 0.625, labels: LABELS },
      scores: [0.375, 0.625, 0],
      teachers: [{ weight: 0.5 }, { weight: 0.5 }],
    });
  });

  it('returns the answer of each teacher', async () => {
    const { teachers, disagreement } = await ask({ teachers: ['a'] });
    expect(teachers).toEqual([
      {
        ...{ model: 'a', modelVersion: 1, label: 'x', labelIndex: 0, confidence: 0.75, scores: [0.75, 0.25, 0] },
        engine: { engineId: 'engine of a', kind: EngineKind.ENGINE_KIND_LOCAL, build: 'build' },
        ...{ grade: Grade.GRADE_SINGLE, stateDigest: 99n, weight: 1, error: undefined },
      },
    ]);
    expect(disagreement).toBe(0);
  });

  it('returns the error of a teacher that failed, with no weight', async () => {
    const { label, teachers } = await ask({ teachers: ['a', 'gone'] });
    expect([label, teachers[0]!.weight]).toEqual(['x', 1]);
    expect(teachers[1]).toEqual({
      ...TeacherAnswer.fromPartial({ model: 'gone', modelVersion: 1 }),
      error: { code: 14, reason: 'NO_ENGINE', message: 'no engine holds gone', field: '', retryAfterMs: 10 },
    });
  });

  it('asks the teachers with the input of the caller, and not for a model or a detail of it', async () => {
    await ask({ teachers: ['a'] });
    const data = Buffer.from(Float32Array.of(1, 2).buffer);
    expect(questions).toMatchObject([{ model: 'a', modelVersion: 1, input: { field: 'encoding', shape: [2], data } }]);
    expect(questions[0]).not.toHaveProperty('detail');
  });

  it('returns the id of the caller, or a new one', async () => {
    expect((await ask({ teachers: ['a'], requestId: 'mine' })).requestId).toBe('mine');
    expect((await ask({ teachers: ['a'] })).requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('takes the teachers of a student with the weights that it has learnt', async () => {
    scoresOf = { a: [1, 0, 0], b: [0, 1, 0], liar: [0, 0, 1] };
    await teach(studentSpec({ student: 'weighing' }));
    const { learner } = (await students.find('weighing')).state;
    const { teachers } = await ask({ student: 'weighing' });
    expect(teachers.map(({ model }) => model)).toEqual(['a', 'b', 'liar']);
    expect(teachers.map(({ weight }) => weight)).toEqual(learner!.teachers.weights([true, true, true]));
    expect(teachers[2]!.weight).toBeLessThan(teachers[0]!.weight);
  });

  it.each<[string, Partial<CoordinateRequest>, string, string]>([
    ['no teachers', {}, 'INVALID_FIELD', 'teachers'],
    ['a student and a teacher', { student: 'weighing', teachers: ['a'] }, 'INVALID_FIELD', 'student'],
    ['an unknown student', { student: 'x' }, 'UNKNOWN_STUDENT', 'student'],
    ['two inputs', { teachers: ['a'], text: 'x' }, 'INVALID_FIELD', 'text'],
  ])('refuses %s', async (_, over, reason, field) => {
    expect(await refusalOf(ask(over))).toMatchObject({ reason, field });
    expect(questions).toEqual([]);
  });

  it('refuses a student that has no teachers', async () => {
    await teach(studentSpec({ student: 'alone', teachers: [] }));
    expect(await refusalOf(ask({ student: 'alone' }))).toMatchObject({ reason: 'INVALID_FIELD', field: 'teachers' });
  });
});

describe('GetLearningState', () => {
  it('returns the student of that name', async () => {
    await teach(studentSpec({ student: 'shown' }));
    const { students: shown } = await callMethod(methods, getLearningState, { student: 'shown' });
    expect(shown).toMatchObject([{ student: 'shown', publishedVersion: 1 }]);
  });
});

describe('RollBackStudent', () => {
  it('returns the student as it was at that version', async () => {
    const spec = studentSpec({ student: 'back' });
    await teach(spec);
    const [before] = (await callMethod(methods, getLearningState, { student: 'back' })).students;
    await students.teach('back', async (student) => {
      for (const example of randomExamples(400, 2, spec)) await student.learn(example);
      await student.commit();
    });
    const { state } = await callMethod(methods, rollBackStudent, { student: 'back', version: 1 });
    expect(state).toMatchObject({ student: 'back', publishedVersion: 1, stateDigest: before!.stateDigest });
  });

  it('refuses an unknown student, and does not begin one', async () => {
    const refused = callMethod(methods, rollBackStudent, { student: 'nobody', version: 1 });
    expect((await refusalOf(refused)).reason).toBe('UNKNOWN_STUDENT');
    expect(students.names).not.toContain('nobody');
  });
});
