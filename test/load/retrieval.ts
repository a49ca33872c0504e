// How often a search finds the definition that belongs to given words, among thousands: by words alone (BM25), by meaning
// alone, and by both. A definition rarely has the word that it defines, so words alone are not enough.
import { join } from 'node:path';
import { CorpusIndex, type SearchBy } from '../../services/agents/retrieval/corpus-index.ts';
import { DatabaseRetriever } from '../../services/agents/retrieval/database-retriever.ts';
import { loadTextEmbedding } from '../../services/agents/retrieval/load-embedding.ts';
import { CorpusDatabase } from '../../services/corpora/postgres/corpus-database.ts';
import { CorpusTexts } from '../../services/corpora/postgres/corpus-texts.ts';
import { Database } from '../../services/corpora/postgres/database.ts';
import { ModelRepository } from '../../services/models/repository.ts';
import { Random } from '../fuzz/random.ts';
import { readGlosses } from '../support/glosses.ts';

const MODELS = join(import.meta.dirname, '../../deploy/models');
const TOP = 10;

interface Recall {
  readonly documents: number;
  readonly queries: number;
  readonly seed: number;
  /** Share of queries whose definition is among the first 10. */
  readonly words: number;
  readonly meaning: number;
  readonly both: number;
  /** Of a search in PostgreSQL with pgvector. */
  readonly postgres?: PostgresRecall;
}

interface PostgresRecall {
  readonly both: number;
  /** Share of queries with the same 10 best passages by meaning, in the same order. */
  readonly equalByMeaning: number;
}

/** `queries` of the test definitions' words, selected by `seed`. `url`: of a PostgreSQL that is also searched. */
export async function measureRecall(queries: number, seed: number, url?: string): Promise<Recall> {
  const glosses = readGlosses();
  const embedding = loadTextEmbedding(MODELS, ModelRepository.read(MODELS, 'supersense'));
  if (embedding === undefined) throw new Error(`no model in ${MODELS} has an embedding`);
  const passages = glosses.map(({ name, text }) => ({ document: name, text }));
  const index = await CorpusIndex.build(passages, embedding);
  const random = new Random(seed);
  const chosen = glosses
    .filter(({ isTest }) => isTest)
    .map((gloss) => ({ gloss, order: random.next() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, queries)
    .map(({ gloss }) => gloss);
  const recall = (by: SearchBy): number => {
    const found = chosen.filter(({ words, name }) =>
      index.search(words, TOP, by).some(({ document }) => document === name),
    );
    return found.length / chosen.length;
  };
  const figures = { words: recall('words'), meaning: recall('meaning'), both: recall('both') };
  const result = { documents: passages.length, queries: chosen.length, seed, ...figures };
  if (url === undefined) return result;
  const database = new Database({ url, maxConnections: 4, timeoutMs: 60_000 });
  await new CorpusDatabase(database).add('glosses', glosses);
  const texts = new CorpusTexts(database);
  const onIndexed = (): void => undefined;
  const onWarning = (text: string): void => void process.stderr.write(`${text}\n`);
  const retriever = new DatabaseRetriever({ texts, embedding: () => embedding, onIndexed, onWarning });
  let found = 0;
  let equal = 0;
  for (const { words, name } of chosen) {
    const both = await retriever.search({ query: words, corpus: 'glosses', topK: TOP, label: '' });
    found += Number(both.some(({ document }) => document === name));
    const { id } = (await texts.find('glosses'))!;
    const vector = new Int8Array(embedding.dimensions);
    embedding.embed(words, vector);
    const near = await texts.byMeaning(id, vector, TOP, '');
    const nearIds = near.map((each) => each.id);
    const documents = new Map((await texts.passages(id, nearIds)).map((each) => [each.id, each.document]));
    const expected = index.search(words, TOP, 'meaning').map(({ document }) => document);
    equal += Number(nearIds.map((each) => documents.get(each)).join() === expected.join());
  }
  await database.end();
  return { ...result, postgres: { both: found / chosen.length, equalByMeaning: equal / chosen.length } };
}
