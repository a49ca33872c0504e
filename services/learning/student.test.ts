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

describe('Student.commit', () => {
  it('validates on held-out examples and serves a new version', async () => {
    const student = await taught();
    const commit = await student.commit();
    expect(commit).toMatchObject({ version: 1, outcome: { status: 'PUBLISHED' } });
    expect(commit!.heldOut).toBeGreaterThan(5);
    expect(commit!.accuracy).toBeGreaterThan(0.6);
    expect(publisher.versionsOf('s')).toEqual([{ version: 1, isServed: true }]);
  });

  it('returns nothing without new examples', async () => {
    const student = await taught();
    await student.commit();
    expect(await student.commit()).toBeUndefined();
  });

  it('does not serve a version that is worse than the current one', async () => {
    const student = await taught();
    await student.commit();
    // Teaches wrong labels until the student learns them.
    for (const example of randomExamples(400, SEED + 1)) {
      const label = example.label === undefined ? undefined : (example.label + 1) % 3;
      const isHeldOut = await student.learn({ ...example, label });
      if (isHeldOut) student.state.heldOut.pop();
    }
    const worse = await student.commit();
    expect(worse!.outcome).toMatchObject({ status: 'REJECTED', why: expect.stringContaining('held-out examples') });
    expect(publisher.versionsOf('s')).toEqual([{ version: 1, isServed: true }]);
  });

  it('does not serve a version without held-out examples', async () => {
    const student = await open();
    await student.begin(studentSpec());
    const [first] = randomExamples(1, SEED);
    await student.learn({ ...first!, label: undefined });
    expect((await student.commit())!.outcome?.status).toBe('REJECTED');
  });

  it('logs the reason if the version cannot be loaded', async () => {
    const student = await taught();
    publisher.failure = new Error('disk full');
    expect((await student.commit())!.outcome).toMatchObject({ status: 'FAILED' });
    expect(student.state.published).toBe(0);
  });

  it('is finished on the next open if a crash interrupted it', async () => {
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

describe('Student.open', () => {
  it('restores the same state bits', async () => {
    const student = await taught();
    await student.commit();
    for (const example of randomExamples(30, SEED + 2)) await student.learn(example);
    const before = stateBytes(student.state.learner!);
    await student.close();
    expect(stateBytes((await open()).state.learner!).equals(before)).toBe(true);
  });

  it('drops an incomplete last record', async () => {
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

  it('refuses a changed record and names its position', async () => {
    await (await taught(40)).close();
    const bytes = readFileSync(file());
    bytes[MAGIC.length + 40]! ^= 1;
    writeFileSync(file(), bytes);
    await expect(open()).rejects.toThrow(new LogError('is damaged at byte 8: restore it from a copy'));
  });

  it('refuses a file that is not a log', async () => {
    await (await taught(1)).close();
    truncateSync(file());
    appendFileSync(file(), 'something else altogether');
    await expect(open()).rejects.toThrow('is not a learning log');
  });
});

describe('Student.rollBack', () => {
  async function twoVersions(): Promise<{ student: Student; first: Buffer }> {
    const student = await taught(20);
    await student.commit();
    const first = stateBytes(student.state.learner!);
    for (const example of randomExamples(300, SEED + 4)) await student.learn(example);
    expect(await student.commit()).toMatchObject({ version: 2, outcome: { status: 'PUBLISHED' } });
    return { student, first };
  }

  it('serves the older version, and the next commit gets a new number', async () => {
    const { student, first } = await twoVersions();
    await student.rollBack(1);
    expect(publisher.versionsOf('s').map(({ isServed }) => isServed)).toEqual([true, false]);
    expect(stateBytes(student.state.learner!).equals(first)).toBe(true);
    for (const example of randomExamples(300, SEED + 5)) await student.learn(example);
    expect(await student.commit()).toMatchObject({ version: 3 });
  });

  it('is finished on the next open if a crash interrupted it', async () => {
    const { student, first } = await twoVersions();
    await student.rollBack(1);
    await student.close();
    publisher.versions.get('s/2')!.isServed = true;
    const again = await open();
    expect(publisher.versionsOf('s').map(({ isServed }) => isServed)).toEqual([true, false]);
    expect(stateBytes(again.state.learner!).equals(first)).toBe(true);
  });

  it('refuses an unknown version and lists the known ones', async () => {
    const { student } = await twoVersions();
    await expect(student.rollBack(7)).rejects.toThrow('cannot go back to version 7; it can to 1');
  });
});

describe('Student', () => {
  it('keeps its labels', async () => {
    const student = await taught(1);
    await expect(student.begin(studentSpec({ labels: ['x', 'y'] }))).rejects.toThrow(
      'student "s" has labels ["x","y","z"], not ["x","y"]; use another name',
    );
  });

  it('refuses the name of another model', async () => {
    publisher.versions.set('s/1', { files: undefined as never, isServed: true });
    await expect((await open()).begin(studentSpec())).rejects.toThrow(
      '"s" is a model of the repository, not a student',
    );
  });

  it('refuses examples if its log is full', async () => {
    await (await taught(5)).close();
    const full = await open({ maxLogBytes: 100 });
    await expect(full.learn(randomExamples(1, SEED)[0]!)).rejects.toMatchObject({ kind: 'STUDENT_FULL' });
  });
});
