import { describe, expect, it } from '@jest/globals';
import type { PassageStore } from '../agents/retrieval/label-passages.ts';
import { RouterError } from '../core/errors.ts';
import { type Operation, Operations } from '../operations/operations.ts';
import { Indexing, type IndexingParts } from './index-corpus.ts';

const NOW = { kind: 'index', startedMs: 1, endedMs: 0, done: 0, total: 0, result: '', error: '' } as const;

/** One passage, which is labelled when `release` is called. */
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

describe('the indexing of a corpus', () => {
  it('is an operation with progress and a result', async () => {
    const { made, operations, release } = indexing();
    const { operationId } = await made.begin('notes');
    await turns();
    expect(operations.get(operationId)).toMatchObject({ kind: 'index', subject: 'notes', state: 'RUNNING', total: 1 });
    release();
    await turns();
    const result = '1 passages indexed, labelled by m/1';
    expect(operations.get(operationId)).toMatchObject({ state: 'SUCCEEDED', done: 1, result });
  });

  it('counts a passage half until it is labelled', async () => {
    const { made, operations } = indexing({
      corpora: { pending: () => new Promise(() => undefined), label: async () => undefined },
    });
    const { operationId } = await made.begin('notes');
    made.indexed('notes', 40, 100);
    made.indexed('others', 1, 7);
    expect(operations.get(operationId)).toMatchObject({ done: 20, total: 100 });
  });

  it('runs once for a corpus at a time', async () => {
    const { made, release } = indexing();
    const first = (await made.begin('notes')).operationId;
    expect((await made.begin('notes')).operationId).toBe(first);
    expect((await made.begin('others')).operationId).not.toBe(first);
    release();
    await turns();
    expect((await made.begin('notes')).operationId).not.toBe(first);
  });

  it('ends at once where it is cancelled', async () => {
    const { made, operations } = indexing();
    const { operationId } = await made.begin('notes');
    operations.cancel(operationId);
    await turns();
    expect(operations.get(operationId)).toMatchObject({ state: 'CANCELLED' });
  });

  it('says why it failed', async () => {
    const pending = (): Promise<never> => Promise.reject(new RouterError('UNKNOWN_CORPUS', 'it was removed'));
    const { made, operations } = indexing({ corpora: { pending, label: async () => undefined } });
    const { operationId } = await made.begin('notes');
    await turns();
    expect(operations.get(operationId)).toMatchObject({ state: 'FAILED', error: 'it was removed' });
  });

  it('without a text model makes no labels', async () => {
    const { made, operations } = indexing({ textModel: () => undefined });
    const { operationId } = await made.begin('notes');
    await turns();
    expect(operations.get(operationId).result).toBe('1 passages indexed; no model takes text, so they have no labels');
  });

  it('that a stop has interrupted is started again', async () => {
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

  it('is not started again where the corpus was removed since', async () => {
    const stored: Operation[] = [{ ...NOW, id: 'index-1', subject: 'gone', state: 'RUNNING' }];
    const nameOf = (): Promise<never> => Promise.reject(new RouterError('UNKNOWN_CORPUS', 'gone'));
    const { made, operations } = indexing({ nameOf }, stored);
    await made.resume();
    expect(operations.list('index').map(({ state }) => state)).toEqual(['INTERRUPTED']);
  });

  it('waits for a database that is away when the router starts', async () => {
    const stored: Operation[] = [{ ...NOW, id: 'index-1', subject: 'notes', state: 'RUNNING' }];
    const nameOf = (): Promise<never> => Promise.reject(new RouterError('CORPUS_UNAVAILABLE', 'away'));
    const { made, operations } = indexing({ nameOf }, stored);
    await made.resume();
    expect(operations.list('index').map(({ state }) => state)).toEqual(['RUNNING', 'INTERRUPTED']);
  });
});
