import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { RouterError } from '../core/errors.ts';
import { operationFile } from './operation-file.ts';
import { type Operation, Operations } from './operations.ts';

const dir = mkdtempSync(join(tmpdir(), 'tandem-operations-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const inMemory = () => new Operations({ read: () => [], write: () => undefined });
const refused = new RouterError('CANCELLED', 'it was asked to end');

describe('an operation', () => {
  it('reports its progress and its result', () => {
    const operations = inMemory();
    const running = operations.begin('learn', 'pets', () => undefined);
    running.progress(3, 10);
    expect(operations.get(running.id)).toMatchObject({
      kind: 'learn',
      subject: 'pets',
      state: 'RUNNING',
      done: 3,
      total: 10,
    });
    running.succeed('version 1 is published');
    expect(operations.get(running.id)).toMatchObject({ state: 'SUCCEEDED', result: 'version 1 is published' });
  });

  it('ignores changes after its end', () => {
    const operations = inMemory();
    const running = operations.begin('learn', 'pets', () => undefined);
    running.succeed('done');
    running.fail(refused);
    running.progress(9);
    expect(operations.get(running.id)).toMatchObject({ state: 'SUCCEEDED', done: 0, error: '' });
  });

  it('is notified once of a cancellation and is CANCELLED when it ends', () => {
    const operations = inMemory();
    let reports = 0;
    const running = operations.begin('learn', 'pets', () => (reports += 1));
    expect(operations.cancel(running.id).state).toBe('RUNNING');
    operations.cancel(running.id);
    running.fail(refused);
    expect([reports, operations.get(running.id).state]).toEqual([1, 'CANCELLED']);
  });

  it('is FAILED if it fails without a cancellation', () => {
    const operations = inMemory();
    const running = operations.begin('learn', 'pets', () => undefined);
    running.fail(refused);
    expect(operations.get(running.id)).toMatchObject({ state: 'FAILED', error: 'it was asked to end' });
  });

  it('that does not exist is refused', () => {
    expect(() => inMemory().get('x')).toThrow('there is no operation "x"');
  });
});

describe('operations', () => {
  it('are listed newest first, all or of one kind', () => {
    const operations = inMemory();
    for (const [kind, subject] of [
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
    ] as const)
      operations.begin(kind, subject, () => undefined);
    const subjects = (kind: string): string[] => operations.list(kind).map(({ subject }) => subject);
    expect([subjects(''), subjects('a')]).toEqual([
      ['3', '2', '1'],
      ['3', '1'],
    ]);
  });

  it('that have ended are removed above the limit', () => {
    const operations = inMemory();
    const kept = operations.begin('a', 'running', () => undefined);
    for (let n = 0; n < 300; n += 1) operations.begin('a', String(n), () => undefined).succeed('');
    expect(operations.list('')).toHaveLength(256);
    expect(operations.get(kept.id).subject).toBe('running');
  });

  it('are INTERRUPTED after a restart if they were running', () => {
    const file = join(dir, 'new/operations.json');
    const problems: unknown[] = [];
    const open = (): Operations => new Operations(operationFile(file, (error) => problems.push(error)));
    const before = open();
    const [ended, running] = [before.begin('a', '1', () => undefined), before.begin('a', '2', () => undefined)];
    ended.succeed('done');
    const states = (of: Operations): Operation['state'][] => [ended, running].map(({ id }) => of.get(id).state);
    expect([states(open()), problems]).toEqual([['SUCCEEDED', 'INTERRUPTED'], []]);
  });

  it('start empty if the file is damaged, which is reported', () => {
    const file = join(dir, 'damaged.json');
    writeFileSync(file, '[{"id": 3}]');
    const problems: unknown[] = [];
    expect(new Operations(operationFile(file, (error) => problems.push(error))).list('')).toEqual([]);
    expect(problems).toHaveLength(1);
  });
});
