// How often a search finds the definition that belongs to given words, among thousands: by words alone (BM25), by meaning
// alone, and by both. A definition seldom has the word that it defines, so this asks for more than words.
import { join } from 'node:path';
import { CorpusIndex, type SearchBy } from '../../services/agents/retrieval/corpus-index.ts';
import { loadTextEmbedding } from '../../services/agents/retrieval/load-embedding.ts';
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
}

/** `queries` of the test definitions' words, drawn by `seed`. */
export async function measureRecall(queries: number, seed: number): Promise<Recall> {
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
  return { documents: passages.length, queries: chosen.length, seed, ...figures };
}
