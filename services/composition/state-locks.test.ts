import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { type Settings, settingsSchema } from '../config/schema.ts';
import { Students } from '../learning/students.ts';
import type { StudentParts } from '../learning/student.ts';
import { Operations } from '../operations/operations.ts';
import { type StateLocks, stateLocks } from './state-locks.ts';

const RUNNING =
  '[{"id":"x-1","kind":"x","subject":"s","result":"","error":"","startedMs":1,"endedMs":0,"done":0,"total":0,"state":"RUNNING"}]';

let settings: Settings;
let file: string;
let log: string;

beforeEach(() => {
  const dir = mkdtempSync(join(tmpdir(), 'tandem-locks-'));
  file = join(dir, 'operations.json');
  settings = settingsSchema.parse({ learning: { dir: join(dir, 'learning') }, operations: { file } });
  log = '';
});

const locks = (): StateLocks =>
  stateLocks(settings, pino({ level: 'warn' }, { write: (line: string) => void (log += line) }));

describe('a second router with the same state files', () => {
  it('warns and names the process of the first', () => {
    locks();
    locks();
    expect(log).toContain(`another router (process ${process.pid}) uses ${file}; stop it, or set operations.file`);
    expect(log).toContain('Until then this router cannot learn');
  });

  it('neither resumes nor overwrites the operations of the first', () => {
    locks();
    writeFileSync(file, RUNNING);
    const operations = new Operations(locks().operations);
    operations.begin('y', 's', () => undefined);
    expect(operations.interrupted('x')).toEqual([]);
    expect(readFileSync(file, 'utf8')).toBe(RUNNING);
  });

  it('refuses to learn', async () => {
    locks();
    const students = new Students({} as StudentParts, locks().learningRefusal);
    const refusal = { kind: 'LOG_UNUSABLE', message: expect.stringContaining('set learning.dir to another path') };
    await expect(students.teach('s', () => Promise.resolve())).rejects.toMatchObject(refusal);
    await expect(students.find('s')).rejects.toMatchObject(refusal);
    expect(students.names).toEqual([]);
  });

  it('has full access after the first has stopped', () => {
    locks().release();
    const { operations, learningRefusal } = locks();
    new Operations(operations).begin('y', 's', () => undefined);
    expect([existsSync(file), learningRefusal, log]).toEqual([true, '', '']);
  });
});
