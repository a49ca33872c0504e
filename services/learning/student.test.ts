import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakePublisher, randomExamples, studentParts, studentSpec } from '../../test/support/learning.ts';
import { stateBytes } from './learner-state.ts';
import { LogError } from './learning-log.ts';
import { MAGIC } from './log-record.ts';
import { Student, type StudentParts, logPath } from './student.ts';

const SEED = 1;
let dir: string;
let publisher: FakePublisher;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tandem-student-'));
  publisher = new FakePublisher();
});
afterEach(async () => {
  await Promise.allSettled(opened.splice(0).map((student) => student.close()));
  rmSync(dir, { recursive: true, force: true });
});

const opened: Student[] = [];
const open = async (over: Partial<StudentParts> = {}): Promise<Student> => {
  const student = await Student.open('s', studentParts(dir, publisher, over));
  opened.push(student);
  return student;
};
const file = (): string => logPath(dir, 's');

async function taught(count = 120): Promise<Student> {
  const student = await open();
  await student.begin(studentSpec());
  for (const example of randomExamples(count, SEED)) await student.learn(example);
  return student;
}

describe('a commit', () => {
  it('is validated on examples that were not learnt, and served as a new version', async () => {
    const student = await taught();
    const commit = await student.commit();
    expect(commit).toMatchObject({ version: 1, outcome: { status: 'PUBLISHED' } });
    expect(commit!.heldOut).toBeGreaterThan(5);
    expect(commit!.accuracy).toBeGreaterThan(0.6);
    expect(publisher.versionsOf('s')).toEqual([{ version: 1, isServed: true }]);
  });

  it('of nothing new is none', async () => {
    const student = await taught();
    await student.commit();
    expect(await student.commit()).toBeUndefined();
  });

  it('that is worse than the version in use is not served', async () => {
    const student = await taught();
    await student.commit();
    // Wrong labels, until the student believes them.
    for (const example of randomExamples(400, SEED + 1)) {
      const label = example.label === undefined ? undefined : (example.label + 1) % 3;
      const isHeldOut = await student.learn({ ...example, label });
      if (isHeldOut) student.state.heldOut.pop();
    }
    const worse = await student.commit();
    expect(worse!.outcome).toMatchObject({ status: 'REJECTED', why: expect.stringContaining('held-out examples') });
    expect(publisher.versionsOf('s')).toEqual([{ version: 1, isServed: true }]);
  });

  it('without held-out examples is not served', async () => {
    const student = await open();
    await student.begin(studentSpec());
    const [first] = randomExamples(1, SEED);
    await student.learn({ ...first!, label: undefined });
    expect((await student.commit())!.outcome?.status).toBe('REJECTED');
  });

  it('that no engine takes is kept in the log with the reason', async () => {
    const student = await taught();
    publisher.failure = new Error('disk full');
    expect((await student.commit())!.outcome).toMatchObject({ status: 'FAILED' });
    expect(student.state.published).toBe(0);
  });

  it('that a crash has interrupted is published when the student is opened again', async () => {
    const student = await taught();
    const called = Promise.withResolvers<undefined>();
    const hanging = {
      load: () => {
        called.resolve(undefined);
        return new Promise<never>(() => undefined);
      },
      unload: () => Promise.resolve(),
    };
    await student.close();
    void (await open({ publisher: hanging })).commit();
    await called.promise;
    expect((await open()).state.published).toBe(1);
    expect(publisher.versionsOf('s')).toEqual([{ version: 1, isServed: true }]);
  });
});

describe('a student that is opened again', () => {
  it('has the same bits', async () => {
    const student = await taught();
    await student.commit();
    for (const example of randomExamples(30, SEED + 2)) await student.learn(example);
    const before = stateBytes(student.state.learner!);
    await student.close();
    expect(stateBytes((await open()).state.learner!).equals(before)).toBe(true);
  });

  it('is without the last record where that is torn', async () => {
    const student = await taught(40);
    await student.commit();
    const whole = statSync(file()).size;
    const [example] = randomExamples(1, SEED + 3);
    await student.learn({ ...example!, label: undefined });
    const before = student.state.examples;
    await student.close();
    const bytes = readFileSync(file());
    for (let size = whole; size < bytes.length; size += 11) {
      writeFileSync(file(), bytes.subarray(0, size));
      const again = await open();
      expect([again.state.examples, again.state.published]).toEqual([before - 1, 1]);
      await again.close();
      expect(statSync(file()).size).toBe(whole);
    }
  });

  it('is refused where a record was changed, with the place', async () => {
    await (await taught(40)).close();
    const bytes = readFileSync(file());
    bytes[MAGIC.length + 40]! ^= 1;
    writeFileSync(file(), bytes);
    await expect(open()).rejects.toThrow(new LogError('is damaged at byte 8: restore it from a copy'));
  });

  it('is refused where the file is no log', async () => {
    await (await taught(1)).close();
    truncateSync(file());
    appendFileSync(file(), 'something else altogether');
    await expect(open()).rejects.toThrow('is no learning log');
  });
});

describe('a roll back', () => {
  async function twoVersions(): Promise<{ student: Student; first: Buffer }> {
    const student = await taught(20);
    await student.commit();
    const first = stateBytes(student.state.learner!);
    for (const example of randomExamples(300, SEED + 4)) await student.learn(example);
    expect(await student.commit()).toMatchObject({ version: 2, outcome: { status: 'PUBLISHED' } });
    return { student, first };
  }

  it('serves the older version, goes on from it, and gives the next one a new number', async () => {
    const { student, first } = await twoVersions();
    await student.rollBack(1);
    expect(publisher.versionsOf('s').map(({ isServed }) => isServed)).toEqual([true, false]);
    expect(stateBytes(student.state.learner!).equals(first)).toBe(true);
    for (const example of randomExamples(300, SEED + 5)) await student.learn(example);
    expect(await student.commit()).toMatchObject({ version: 3 });
  });

  it('that a crash has interrupted is finished when the student is opened again', async () => {
    const { student, first } = await twoVersions();
    await student.rollBack(1);
    await student.close();
    publisher.versions.get('s/2')!.isServed = true;
    const again = await open();
    expect(publisher.versionsOf('s').map(({ isServed }) => isServed)).toEqual([true, false]);
    expect(stateBytes(again.state.learner!).equals(first)).toBe(true);
  });

  it('to a version that there is not is refused with those there are', async () => {
    const { student } = await twoVersions();
    await expect(student.rollBack(7)).rejects.toThrow('cannot go back to version 7; it can to 1');
  });
});

describe('a student', () => {
  it('keeps its teachers and labels', async () => {
    const student = await taught(1);
    await expect(student.begin(studentSpec({ labels: ['x', 'y'] }))).rejects.toThrow(
      'student "s" has labels ["x","y","z"], not ["x","y"]; use another name',
    );
  });

  it('does not take the name of another model', async () => {
    publisher.versions.set('s/1', { files: undefined as never, isServed: true });
    await expect((await open()).begin(studentSpec())).rejects.toThrow(
      '"s" is a model of the repository, not a student',
    );
  });

  it('whose log is full learns nothing more', async () => {
    await (await taught(5)).close();
    const full = await open({ maxLogBytes: 100 });
    await expect(full.learn(randomExamples(1, SEED)[0]!)).rejects.toMatchObject({ kind: 'STUDENT_FULL' });
  });
});
