import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { CorpusStore } from '../../corpora/corpus-store.ts';
import { AllCorpora } from './all-corpora.ts';
import { CorpusIndex } from './corpus-index.ts';
import { CorpusRetriever } from './corpus-retriever.ts';
import { fuse } from './fuse.ts';
import { TextEmbedding } from './text-embedding.ts';
import { VectorIndex } from './vector-index.ts';

/** Two directions: animals and machines. */
const WORDS = ['dog', 'cat', 'puppy', 'engine', 'motor'];
const VECTORS = Int8Array.from([100, 0, 90, 10, 100, 5, 0, 100, 5, 90]);

const embedding = new TextEmbedding(
  { dimensions: 2, values: VECTORS },
  { encode: (text) => text.split(' ').flatMap((word) => (WORDS.includes(word) ? [WORDS.indexOf(word)] : [])) },
);

const passages = (...texts: string[]): { document: string; text: string }[] =>
  texts.map((text, index) => ({ document: `d${index}`, text }));

describe('fuse', () => {
  it('ranks first what is high in both lists', () => {
    expect(
      fuse([
        [1, 2, 3],
        [2, 9],
      ]).map(({ index }) => index),
    ).toEqual([2, 1, 9, 3]);
  });

  it('orders equal scores by index', () => {
    expect(fuse([[5], [3]]).map(({ index }) => index)).toEqual([3, 5]);
  });
});

describe('VectorIndex', () => {
  function indexOf(...vectors: [number, number][]): VectorIndex {
    const index = new VectorIndex(vectors.length, 2);
    for (const [at, vector] of vectors.entries()) {
      index.slot(at).set(vector);
      index.added(at);
    }
    return index;
  }

  it('compares directions, not lengths', () => {
    expect(indexOf([1, 1], [127, 0], [2, 0]).nearest(Int8Array.of(5, 0), 2)).toEqual([1, 2]);
  });

  it('leaves out zero vectors and opposite directions', () => {
    expect(indexOf([0, 0], [-5, 0], [3, 1]).nearest(Int8Array.of(5, 0), 9)).toEqual([2]);
    expect(indexOf([3, 1]).nearest(Int8Array.of(0, 0), 9)).toEqual([]);
  });
});

describe('CorpusIndex', () => {
  it('finds by meaning a passage without a word of the query', async () => {
    const index = await CorpusIndex.build(passages('the motor is loud', 'a dog barks'), embedding);
    expect(index.search('puppy', 1)[0]?.text).toBe('a dog barks');
    expect(index.search('puppy', 1, 'words')).toEqual([]);
  });

  it('finds by words a passage without a vector', async () => {
    const index = await CorpusIndex.build(passages('the motor is loud', 'zebra stripes'), embedding);
    expect(index.search('zebra', 1)[0]?.text).toBe('zebra stripes');
    expect(index.search('zebra', 1, 'meaning')).toEqual([]);
  });

  it('searches only words without an embedding', async () => {
    const index = await CorpusIndex.build(passages('a dog barks', 'a cat'));
    expect(index.search('dog', 5).map(({ document }) => document)).toEqual(['d0']);
  });

  it('returns at most the requested number, best first', async () => {
    const index = await CorpusIndex.build(passages('dog dog', 'dog', 'motor'), embedding);
    const scores = index.search('dog', 2).map(({ score }) => score);
    expect(scores).toHaveLength(2);
    expect(scores[0]).toBeGreaterThanOrEqual(scores[1]!);
  });

  it.each(['', '   ', '"AND (', '\u0000', 'x'.repeat(100_000), '__proto__ constructor'])(
    'accepts the query %j',
    async (query) => {
      const index = await CorpusIndex.build(passages('a dog barks'), embedding);
      expect(index.search(query, 5).length).toBeLessThanOrEqual(1);
    },
  );
});

describe('CorpusRetriever', () => {
  let dir: string;
  let store: CorpusStore;
  let retriever: CorpusRetriever;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'tandem-retriever-'));
    store = new CorpusStore(dir);
    retriever = new CorpusRetriever({ store, embedding: () => embedding });
  });

  const found = async (query: string, corpus = ''): Promise<string[]> =>
    (await new AllCorpora({ store, folder: retriever }).search({ query, corpus, topK: 5, label: '' })).map(
      ({ text }) => text,
    );

  it('searches the only corpus if none is named', async () => {
    store.add('pets', [{ name: 'a', text: 'a dog barks' }]);
    expect(await found('puppy')).toEqual(['a dog barks']);
  });

  it('finds passages added after the first search', async () => {
    store.add('pets', [{ name: 'a', text: 'a dog barks' }]);
    await found('dog');
    store.add('pets', [{ name: 'b', text: 'another dog' }]);
    expect((await found('dog')).sort()).toEqual(['a dog barks', 'another dog']);
  });

  it.each<[string, readonly string[], string, RegExp]>([
    ['there is no corpus', [], '', /there is no corpus; there are: none\. Add one: tandem corpus add/],
    ['there are several corpora and none is named', ['a', 'b'], '', /several corpora; name one; there are: a, b/],
    ['there is no corpus of that name', ['a'], 'b', /there is no corpus "b"; there are: a/],
    ['the name is a path', ['a'], '../a', /there is no corpus "\.\.\/a"/],
  ])('refuses with UNKNOWN_CORPUS if %s', async (_, names, corpus, why) => {
    for (const name of names) store.add(name, [{ name: 'd', text: 'dog' }]);
    const search = found('dog', corpus);
    await expect(search).rejects.toMatchObject({ kind: 'UNKNOWN_CORPUS', message: expect.stringMatching(why) });
  });

  it('reports the progress of an index', async () => {
    const seen: unknown[] = [];
    const onIndexed = (...progress: unknown[]): void => void seen.push(progress);
    retriever = new CorpusRetriever({ store, embedding: () => embedding, onIndexed });
    store.add(
      'pets',
      Array.from({ length: 70 }, (_, k) => ({ name: `${k}`, text: 'dog' })),
    );
    await found('dog');
    expect(seen).toEqual([
      ['pets', 0, 70],
      ['pets', 64, 70],
    ]);
  });

  it('refuses a damaged corpus and searches it after a repair', async () => {
    writeFileSync(join(dir, 'pets.jsonl'), 'no JSON\n');
    await expect(found('dog')).rejects.toMatchObject({ kind: 'UNKNOWN_CORPUS' });
    writeFileSync(join(dir, 'pets.jsonl'), '{"document": "a", "text": "one dog more"}\n');
    expect(await found('dog')).toEqual(['one dog more']);
  });

  describe('with labels', () => {
    beforeEach(async () => {
      store.add('pets', [
        { name: 'a', text: 'a dog barks' },
        { name: 'b', text: 'a dog and its motor' },
      ]);
      await retriever.pending('pets', 'm/1', 9);
      const labels = { 'a dog barks': 'animal', 'a dog and its motor': 'artifact' };
      await retriever.label('pets', 'm/1', new Map(Object.entries(labels)));
    });

    const labelled = async (label: string): Promise<string[]> =>
      (await retriever.search({ query: 'dog', corpus: 'pets', topK: 5, label })).map((each) => each.label);

    it('finds only passages with the requested label', async () => {
      expect(await labelled('artifact')).toEqual(['artifact']);
      expect((await labelled('')).sort()).toEqual(['animal', 'artifact']);
    });

    it('refuses an unknown label and lists the known ones', async () => {
      await expect(labelled('plant')).rejects.toMatchObject({
        kind: 'INVALID_FIELD',
        message: expect.stringContaining('labels: animal, artifact'),
        violation: { field: 'label' },
      });
    });

    it('has nothing left to label after a restart', async () => {
      retriever = new CorpusRetriever({ store, embedding: () => embedding });
      expect(await retriever.pending('pets', 'm/1', 9)).toEqual({ corpus: 'pets', texts: [], done: 2, total: 2 });
    });

    it('keeps the labels of unchanged passages', async () => {
      store.add('pets', [{ name: 'b', text: 'a new cat' }]);
      expect((await retriever.pending('pets', 'm/1', 9)).texts).toEqual(['a new cat']);
    });

    it('needs new labels for another model', async () => {
      expect((await retriever.pending('pets', 'm/2', 9)).texts).toHaveLength(2);
      await expect(labelled('animal')).rejects.toThrow('have no labels yet; run: tandem corpus index pets');
    });

    it('loses its labels with the corpus', async () => {
      store.remove('pets');
      store.add('pets', [{ name: 'a', text: 'a dog barks' }]);
      expect((await retriever.pending('pets', 'm/1', 9)).texts).toEqual(['a dog barks']);
    });
  });
});
