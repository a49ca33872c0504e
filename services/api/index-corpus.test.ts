import { describe, expect, it } from '@jest/globals';
import type { PassageStore } from '../agents/retrieval/label-passages.ts';
import { RouterError } from '../core/errors.ts';
import { type Operation, Operations } from '../operations/operations.ts';
import { Indexing, type IndexingParts } from './index-corpus.ts';

const NOW = { kind: 'index', startedMs: 1, endedMs: 0, done: 0, total: 0, result: '', error: '' } as const;

/** Indexes one passage, which gets its label when `release` is called. */
function indexing(over: Partial<IndexingParts> = {}, stored: readonly Operation[] = []) {
  const kept = { operations: stored };
  const operations = new Operations({ read: () => stored, write: (all) => (kept.operations = all) });
  const { promise, resolve: release } = Promise.withResolvers<string>();
  let isLabelled = false;
  const corpora: PassageStore = {
    pending: async (corpus) => ({ corpus, texts: isLabelled ? [] : ['p'], done: Number(isLabelled), total: 1 }),
    label: async () => void (isLabelled = true),
  };
  const made = new Indexing({
    ...{ corpora, operations, nameOf: async (name) => name, onInternalError: () => undefined },
    textModel: () => ({ key: 'm/1', label: () => promise }),
    ...over,
  });
  return { made, operations, release: () => release('a'), kept };
}

const turns = async (): Promise<void> => {
  for (let k = 0; k < 20; k += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe('Indexing', () => {
  it('runs as an operation with progress and a result', async () => {
    const { made, operations, release } = indexing();
    const { operationId } = await made.begin('notes');
    await turns();
    expect(operations.get(operationId)).toMatchObject({ kind: 'index', subject: 'notes', state: 'RUNNING', total: 1 });
    release();
    await turns();
    const result = '1 passages indexed, labelled by m/1';
    expect(operations.get(operationId)).toMatchObject({ state: 'SUCCEEDED', done: 1, result });
  });

  it('counts a passage without a label as half done', async () => {
    const { made, operations } = indexing({
      corpora: { pending: () => new Promise(() => undefined), label: async () => undefined },
    });
    const { operationId } = await made.begin('notes');
    made.indexed('notes', 40, 100);
    made.indexed('others', 1, 7);
    expect(operations.get(operationId)).toMatchObject({ done: 20, total: 100 });
  });

  it('runs one operation at a time for a corpus', async () => {
    const { made, release } = indexing();
    const first = (await made.begin('notes')).operationId;
    expect((await made.begin('notes')).operationId).toBe(first);
    expect((await made.begin('others')).operationId).not.toBe(first);
    release();
    await turns();
    expect((await made.begin('notes')).operationId).not.toBe(first);
  });

  it('stops at once when it is cancelled', async () => {
    const { made, operations } = indexing();
    const { operationId } = await made.begin('notes');
    operations.cancel(operationId);
    await turns();
    expect(operations.get(operationId)).toMatchObject({ state: 'CANCELLED' });
  });

  it('reports why it failed', async () => {
    const pending = (): Promise<never> => Promise.reject(new RouterError('UNKNOWN_CORPUS', 'it was removed'));
    const { made, operations } = indexing({ corpora: { pending, label: async () => undefined } });
    const { operationId } = await made.begin('notes');
    await turns();
    expect(operations.get(operationId)).toMatchObject({ state: 'FAILED', error: 'it was removed' });
  });

  it('makes no labels without a text model', async () => {
    const { made, operations } = indexing({ textModel: () => undefined });
    const { operationId } = await made.begin('notes');
    await turns();
    expect(operations.get(operationId).result).toBe('1 passages indexed; no model takes text, so they have no labels');
  });

  it('restarts an operation that a stop interrupted', async () => {
    const before = indexing();
    await before.made.begin('notes');
    before.made.stop();
    await turns();
    const { made, operations } = indexing({}, before.kept.operations);
    await made.resume();
    expect(operations.list('index').map(({ subject, state }) => [subject, state])).toEqual([
      ['notes', 'RUNNING'],
      ['notes', 'INTERRUPTED'],
    ]);
  });

  it('does not restart if the corpus was removed', async () => {
    const stored: Operation[] = [{ ...NOW, id: 'index-1', subject: 'gone', state: 'RUNNING' }];
    const nameOf = (): Promise<never> => Promise.reject(new RouterError('UNKNOWN_CORPUS', 'gone'));
    const { made, operations } = indexing({ nameOf }, stored);
    await made.resume();
    expect(operations.list('index').map(({ state }) => state)).toEqual(['INTERRUPTED']);
  });

  it('restarts even if the database is unavailable when the router starts', async () => {
    const stored: Operation[] = [{ ...NOW, id: 'index-1', subject: 'notes', state: 'RUNNING' }];
    const nameOf = (): Promise<never> => Promise.reject(new RouterError('CORPUS_UNAVAILABLE', 'away'));
    const { made, operations } = indexing({ nameOf }, stored);
    await made.resume();
    expect(operations.list('index').map(({ state }) => state)).toEqual(['RUNNING', 'INTERRUPTED']);
  });

  it('reports a bug, and fails', async () => {
    const bugs: [string, string][] = [];
    const pending = (): Promise<never> => Promise.reject(new TypeError('a bug'));
    const { made, operations } = indexing({
      corpora: { pending, label: async () => undefined },
      onInternalError: (corpus, { kind }) => void bugs.push([corpus, kind]),
    });
    const { operationId } = await made.begin('notes');
    await turns();
    expect([operations.get(operationId).state, bugs]).toEqual(['FAILED', [['notes', 'INTERNAL']]]);
  });

  it('reports no bug for an error that its caller can understand', async () => {
    const bugs: string[] = [];
    const pending = (): Promise<never> => Promise.reject(new RouterError('UNKNOWN_CORPUS', 'it was removed'));
    const onInternalError = (corpus: string): void => void bugs.push(corpus);
    const { made } = indexing({ corpora: { pending, label: async () => undefined }, onInternalError });
    await made.begin('notes');
    await turns();
    expect(bugs).toEqual([]);
  });

  it('restarts nothing once it was stopped', async () => {
    const stored: Operation[] = [{ ...NOW, id: 'index-1', subject: 'notes', state: 'RUNNING' }];
    const { made, operations } = indexing({}, stored);
    made.stop();
    await made.resume();
    expect(operations.list('index').map(({ state }) => state)).toEqual(['INTERRUPTED']);
  });

  it('counts half of an odd number of passages as the whole ones', async () => {
    const { made, operations } = indexing({
      corpora: { pending: () => new Promise(() => undefined), label: async () => undefined },
    });
    const { operationId } = await made.begin('notes');
    made.indexed('notes', 5, 100);
    expect(operations.get(operationId).done).toBe(2);
  });
});
