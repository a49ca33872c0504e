import { describe, expect, it } from '@jest/globals';
import { context, version } from '../../test/fakes/router-parts.ts';
import { RouterError } from '../core/errors.ts';
import type { ModelVersion } from '../models/repository.ts';
import type { ReasonAnswer } from '../routing/router.ts';
import { type Asker, type TeacherQuestion, coordinate } from './coordinate.ts';
import { teacherGroup } from './teachers.ts';

const QUESTION: TeacherQuestion = {
  input: { field: 'encoding', shape: [3], dtype: 'FP32', data: Buffer.alloc(12) },
  strategy: undefined,
  cache: 'USE',
  vote: undefined,
};

const model = (name: string, labels: readonly string[]): ModelVersion =>
  version(1, { name, readout: { from: 'spike_count', labels, temperature: 1 } });
const models = [
  model('a', ['yes', 'no']),
  model('b', ['no', 'yes']),
  model('c', ['yes', 'no']),
  model('three', ['yes', 'no', 'maybe']),
  model('other', ['yes', 'never']),
  model('bare', []),
  model('twice', ['yes', 'yes']),
];
const find = (name: string): ModelVersion => {
  const found = models.find((each) => each.name === name);
  if (found === undefined) throw new RouterError('UNKNOWN_MODEL', `there is no model "${name}"`, { field: 'model' });
  return found;
};

/** Teachers that return these scores, in the order of their own labels, or fail with this error. */
function asker(outcomes: Readonly<Record<string, readonly number[] | RouterError>>): Asker {
  return {
    reason: ({ model: name }) => {
      const outcome = outcomes[name]!;
      if (outcome instanceof RouterError) return Promise.reject(outcome);
      const labelIndex = outcome.indexOf(Math.max(...outcome));
      const answer = { scores: outcome, labelIndex, label: find(name).readout.labels[labelIndex] };
      return Promise.resolve({ answer, model: find(name) } as unknown as ReasonAnswer);
    },
  };
}

const slow = new RouterError('NO_ENGINE', 'no engine answered');
const run = (outcomes: Parameters<typeof asker>[0], weights?: number[]) => {
  const group = teacherGroup(Object.keys(outcomes), find);
  return coordinate(group, weights ?? group.teachers.map(() => 1), QUESTION, asker(outcomes), context());
};

describe('coordinate with teachers whose labels differ in order', () => {
  it('matches labels by their text', async () => {
    const { label, scores, teachers } = await run({ a: [0.75, 0.25], b: [0.25, 0.75] });
    expect([label, scores]).toEqual(['yes', [0.75, 0.25]]);
    expect(teachers.map(({ outcome }) => 'labelIndex' in outcome && outcome.labelIndex)).toEqual([0, 0]);
  });
});

describe('a teacher that fails', () => {
  it('is returned with its error, and the other weights grow in proportion', async () => {
    const { teachers, scores } = await run({ a: [1, 0], b: slow, c: [0, 1] }, [1, 2, 3]);
    expect(teachers.map(({ weight }) => weight)).toEqual([0.25, 0, 0.75]);
    expect(teachers[1]!.outcome).toMatchObject({ error: slow });
    expect(scores).toEqual([0.25, 0.75]);
  });

  it('leaves equal weights to the others if their weights were 0', async () => {
    const { teachers } = await run({ a: [1, 0], b: slow, c: [0, 1] }, [0, 1, 0]);
    expect(teachers.map(({ weight }) => weight)).toEqual([0.5, 0, 0.5]);
  });

  it('fails the call if no other teacher answers', async () => {
    const message = 'no teacher answered: a/1: no engine answered; b/1: no engine answered';
    await expect(run({ a: slow, b: slow })).rejects.toMatchObject({ kind: 'NO_ENGINE', message });
  });

  it('with an internal error fails the call', async () => {
    await expect(run({ a: [1, 0], b: new RouterError('INTERNAL', 'internal error') })).rejects.toMatchObject({
      kind: 'INTERNAL',
    });
  });
});

it('coordinate gives teachers an earlier deadline than its caller has', async () => {
  const deadlines: number[] = [];
  const reason: Asker['reason'] = (question, { deadlineMs }) => {
    deadlines.push(deadlineMs);
    return asker({ a: [1, 0] }).reason(question, context());
  };
  const deadlineMs = performance.now() + 10_000;
  await coordinate(teacherGroup(['a'], find), [1], QUESTION, { reason }, { ...context(), deadlineMs });
  expect(deadlines[0]!).toBeLessThan(deadlineMs);
});

describe('teacherGroup', () => {
  it.each([
    [[], 'teachers', 'teachers has 0 models; name 1 to 16'],
    [Array.from({ length: 17 }, () => 'a'), 'teachers', 'teachers has 17 models; name 1 to 16'],
    [
      ['a', 'other'],
      'teachers[1]',
      'model "other/1" has no label "no", unlike "a/1"; teachers must have the same labels',
    ],
    [['a', 'three'], 'teachers[1]', 'has the label "maybe", unlike "a/1"'],
    [['a', 'bare'], 'teachers[1]', 'model "bare/1" has no labels'],
    [['twice'], 'teachers[0]', 'model "twice/1" has the label "yes" twice'],
    [['a', 'a/1'], 'teachers[1]', 'model "a/1" is there twice'],
    [['a', ''], 'teachers[1]', 'teachers[1] is empty'],
    [['a', 'nobody'], 'teachers[1]', 'there is no model "nobody"'],
  ])('refuses %j at %s', (names, field, message) => {
    let refusal: unknown;
    try {
      teacherGroup(names, find);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({ violation: { field }, message: expect.stringContaining(message) });
  });
});
