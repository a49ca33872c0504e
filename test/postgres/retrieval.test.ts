// Searches in a real PostgreSQL: the same answers as in the folder, and only checked ones.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CorpusIndex } from '../../services/agents/retrieval/corpus-index.ts';
import { DatabaseRetriever } from '../../services/agents/retrieval/database-retriever.ts';
import { TextEmbedding } from '../../services/agents/retrieval/text-embedding.ts';
import { CorpusDatabase } from '../../services/corpora/postgres/corpus-database.ts';
import { CorpusTexts } from '../../services/corpora/postgres/corpus-texts.ts';
import { Database } from '../../services/corpora/postgres/database.ts';
import { Random } from '../fuzz/random.ts';
import { type PostgresServer, startPostgres } from './server.ts';

const TOKENS = 500;
const DIMENSIONS = 32;

/** Words "w0" to "w499", each with a random vector. */
function randomEmbedding(seed: number): TextEmbedding {
  const random = new Random(seed);
  const values = Int8Array.from({ length: TOKENS * DIMENSIONS }, () => Math.floor(random.next() * 255) - 127);
  const encode = (text: string): number[] => [...text.matchAll(/\bw(\d+)/g)].map(([, id]) => Number(id));
  return new TextEmbedding({ dimensions: DIMENSIONS, values }, { encode });
}

function randomText(random: Random): string {
  const length = 1 + Math.floor(random.next() * 8);
  return Array.from({ length }, () => `w${Math.floor(random.next() * TOKENS)}`).join(' ');
}

const embedding = randomEmbedding(1);
let server: PostgresServer;
let database: Database;
let documents: CorpusDatabase;
let warnings: string[];

beforeAll(async () => {
  server = await startPostgres();
}, 120_000);

afterAll(() => server.remove());

beforeEach(() => {
  warnings = [];
  database = new Database({ url: server.url, maxConnections: 4, timeoutMs: 10_000 });
  documents = new CorpusDatabase(database);
});

afterEach(async () => {
  for (const name of await documents.names()) await documents.remove(name);
  await database.end();
});

function retriever(
  by: TextEmbedding | undefined = embedding,
  onIndexed: (...seen: unknown[]) => void = () => undefined,
) {
  const onWarning = (text: string): void => void warnings.push(text);
  return new DatabaseRetriever({ texts: new CorpusTexts(database), embedding: () => by, onIndexed, onWarning });
}

const search = async (query: string, label = '', made = retriever()): Promise<string[]> =>
  (await made.search({ query, corpus: 'notes', topK: 10, label })).map(({ document }) => document);

describe('a search by meaning', () => {
  it('has the order of the embedded search, including ties', async () => {
    const random = new Random(7);
    // Two documents of each text: equal distances.
    const texts = Array.from({ length: 300 }, () => randomText(random)).flatMap((text) => [text, text]);
    const passages = texts.map((text, at) => ({ document: `d${at}`, text }));
    await documents.add(
      'notes',
      passages.map(({ document: name, text }) => ({ name, text })),
    );
    const index = await CorpusIndex.build(passages, embedding);
    const made = retriever();
    await made.pending('notes', '', 0);
    const { id } = (await new CorpusTexts(database).find('notes'))!;
    for (let round = 0; round < 50; round += 1) {
      const query = randomText(random);
      const vector = new Int8Array(DIMENSIONS);
      embedding.embed(query, vector);
      const near = await new CorpusTexts(database).byMeaning(id, vector, 100, '');
      const names = new Map(
        (
          await new CorpusTexts(database).passages(
            id,
            near.map((each) => each.id),
          )
        ).map((p) => [p.id, p.document]),
      );
      expect(near.map((each) => names.get(each.id))).toEqual(
        index.search(query, 100, 'meaning').map(({ document }) => document),
      );
    }
  }, 60_000);

  it('makes the vectors again for another embedding', async () => {
    await documents.add('notes', [{ name: 'a', text: 'w1 w2' }]);
    await search('w1');
    const other = retriever(randomEmbedding(2));
    expect(await search('w1', '', other)).toEqual(['a']);
    expect(warnings).toEqual([]);
  });

  it.each<[string, (query: Int8Array) => string]>([
    ['numbers that are not whole', (query) => `[${query.map(Math.sign).join('.5,')}.5]`],
    ['numbers that are too large', (query) => `[${[...query].map((each) => each * 1_000).join(',')}]`],
    ['another length', () => '[1,2,3]'],
  ])('ignores a stored vector of %s, logs that, and makes it again', async (_, vectorFor) => {
    await documents.add('notes', [
      { name: 'good', text: 'w1 w2' },
      { name: 'damaged', text: 'w3 w4' },
    ]);
    await search('w1');
    const stored = (): Promise<unknown> => server.query(`SELECT vector::text FROM tandem.texts WHERE text = 'w3 w4'`);
    const before = await stored();
    const query = new Int8Array(DIMENSIONS);
    embedding.embed('w1', query);
    await server.query(`UPDATE tandem.texts SET vector = $1 WHERE text = 'w3 w4'`, [vectorFor(query)]);
    expect(await search('w1')).toEqual(['good']);
    expect(warnings).toEqual([expect.stringContaining('1 vectors of corpus "notes" in the database are damaged')]);
    await search('w1');
    expect([await stored(), warnings.length]).toEqual([before, 1]);
  });
});

describe('a search by words', () => {
  it.each(['', '"AND (', "it's a \\ 'quote' & | !", 'nul\0', '\uD800', 'x'.repeat(100_000)])(
    'answers %j',
    async (query) => {
      await documents.add('notes', [{ name: 'a', text: 'the quotes of a book' }]);
      await expect(search(query)).resolves.toBeInstanceOf(Array);
    },
  );

  it('finds other forms of a word', async () => {
    await documents.add('notes', [{ name: 'a', text: 'engines are quarantined' }]);
    expect(await search('engine quarantine', '', retriever(undefined))).toEqual(['a']);
  });
});

describe('labels', () => {
  const label = async (model: string, labels: Record<string, string>): Promise<void> => {
    await retriever().label('notes', model, new Map(Object.entries(labels)));
  };

  beforeEach(async () => {
    await documents.add('notes', [
      { name: 'a', text: 'w1 first' },
      { name: 'b', text: 'w1 second' },
    ]);
  });

  it('restrict a search', async () => {
    await label('m/1', { 'w1 first': 'animal', 'w1 second': 'artifact' });
    expect(await search('w1', 'artifact')).toEqual(['b']);
  });

  it('of no passage are refused, and the existing ones are listed', async () => {
    await label('m/1', { 'w1 first': 'animal' });
    await expect(search('w1', 'plant')).rejects.toMatchObject({
      kind: 'INVALID_FIELD',
      message: expect.stringContaining('labels: animal'),
    });
  });

  it('are made until every text has one, or none can be made', async () => {
    expect(await retriever().pending('notes', 'm/1', 9)).toMatchObject({ done: 0, total: 2 });
    await label('m/1', { 'w1 first': '' });
    expect(await retriever().pending('notes', 'm/1', 9)).toEqual({
      corpus: 'notes',
      texts: ['w1 second'],
      done: 1,
      total: 2,
    });
  });

  it('of an unchanged text are kept with its vector when documents are added', async () => {
    await label('m/1', { 'w1 first': 'animal', 'w1 second': 'artifact' });
    await search('w1');
    const seen: unknown[] = [];
    await documents.add('notes', [
      { name: 'b', text: 'w1 first' },
      { name: 'c', text: 'w1 third' },
    ]);
    const made = retriever(embedding, (...progress) => seen.push(progress));
    expect((await made.pending('notes', 'm/1', 9)).texts).toEqual(['w1 third']);
    expect(await server.query('SELECT count(*)::int AS count FROM tandem.texts')).toEqual([{ count: 2 }]);
  });

  it('are made again for another model', async () => {
    await label('m/1', { 'w1 first': 'animal', 'w1 second': 'artifact' });
    expect((await retriever().pending('notes', 'm/2', 9)).texts).toHaveLength(2);
  });
});
