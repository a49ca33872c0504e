// Finds passages in the corpora of a database. The database stores and searches; the router computes vectors and labels,
// and ranks the results. It keeps no part of a corpus in memory.
import { RouterError } from '../../core/errors.ts';
import type { CorpusRow, CorpusTexts, LabelledPassage, NearText } from '../../corpora/postgres/corpus-texts.ts';
import { passageKey } from '../../corpora/label-file.ts';
import type { Search } from '../retriever.ts';
import { type FoundPassage, CANDIDATES, MAX_QUERY_CHARS } from './corpus-index.ts';
import type { CorpusSearcher, Pending } from './corpus-searcher.ts';
import { fuse } from './fuse.ts';
import { unknownLabel } from './label-error.ts';
import type { TextEmbedding } from './text-embedding.ts';
import { VectorIndex } from './vector-index.ts';

/** Texts whose vectors are stored in one statement. */
const CHUNK = 256;

interface DatabaseRetrieverOptions {
  readonly texts: CorpusTexts;
  /** Undefined: only words are searched. */
  readonly embedding: () => TextEmbedding | undefined;
  /** Called with the number of passages that have a vector, while vectors are computed. */
  readonly onIndexed: (corpus: string, done: number, total: number) => void;
  readonly onWarning: (text: string) => void;
}

export class DatabaseRetriever implements CorpusSearcher {
  readonly #options: DatabaseRetrieverOptions;
  /** By corpus: its vectors are being computed, and searches wait for them. */
  readonly #making = new Map<number, Promise<void>>();

  constructor(options: DatabaseRetrieverOptions) {
    this.#options = options;
  }

  async search({ query, corpus, topK, label }: Search): Promise<readonly FoundPassage[]> {
    const { texts } = this.#options;
    const row = await this.#indexed(corpus);
    if (label !== '') {
      const labels = await texts.labels(row.id);
      if (!labels.includes(label)) throw unknownLabel(corpus, label, labels);
    }
    const text = query.slice(0, MAX_QUERY_CHARS);
    const depth = Math.max(CANDIDATES, topK);
    const lists = await Promise.all([
      texts.byWords(row.id, text, depth, label),
      this.#byMeaning(corpus, row.id, text, depth, label),
    ]);
    const best = fuse(lists).slice(0, topK);
    const found = await texts.passages(
      row.id,
      best.map(({ index }) => index),
    );
    const byId = new Map(found.map((passage) => [passage.id, passage]));
    // A passage that was removed meanwhile is left out.
    return best.flatMap(({ index, score }) => toFound(byId.get(index), score));
  }

  async pending(corpus: string, model: string, count: number): Promise<Pending> {
    const { texts } = this.#options;
    const { id } = await this.#indexed(corpus);
    const unlabelled = model === '' ? [] : await texts.withoutLabel(id, model, count);
    return { corpus, texts: unlabelled, ...(await texts.counts(id, model)) };
  }

  async label(corpus: string, model: string, labels: ReadonlyMap<string, string>): Promise<void> {
    const { id } = await this.#find(corpus);
    const byKey = new Map([...labels].map(([text, label]) => [passageKey(text), label]));
    await this.#options.texts.setLabels(id, model, byKey);
  }

  async #find(corpus: string): Promise<CorpusRow> {
    const row = await this.#options.texts.find(corpus);
    if (row !== undefined) return row;
    throw new RouterError('UNKNOWN_CORPUS', `there is no corpus "${corpus.slice(0, 64)}" any more`, {
      field: 'corpus',
    });
  }

  /** Resolves when each text of the corpus has a vector. */
  async #indexed(corpus: string): Promise<CorpusRow> {
    const row = await this.#find(corpus);
    const embedding = this.#options.embedding();
    if (embedding === undefined || row.embedding === embedding.id) return row;
    let making = this.#making.get(row.id);
    if (making === undefined) {
      making = this.#makeVectors(corpus, row.id, embedding).finally(() => this.#making.delete(row.id));
      this.#making.set(row.id, making);
    }
    await making;
    return row;
  }

  async #makeVectors(corpus: string, id: number, embedding: TextEmbedding): Promise<void> {
    const { texts, onIndexed } = this.#options;
    const { total } = await texts.counts(id, '');
    for (let done = 0; ; done += CHUNK) {
      onIndexed(corpus, Math.min(done, total), total);
      const chunk = await texts.withoutVector(id, embedding.id, CHUNK);
      if (chunk.length === 0) break;
      await texts.setVectors(id, embedding.id, new Map(chunk.map(({ key, text }) => [key, vectorOf(text, embedding)])));
    }
    await texts.setEmbedding(id, embedding.id);
  }

  /** Ranks the vectors from the database again, by the router's own arithmetic. */
  async #byMeaning(corpus: string, id: number, query: string, count: number, label: string): Promise<number[]> {
    const embedding = this.#options.embedding();
    if (embedding === undefined) return [];
    const vector = vectorOf(query, embedding);
    const near = await this.#options.texts.byMeaning(id, vector, count, label);
    const damaged = near.filter((each) => each.vector === undefined);
    if (damaged.length > 0) await this.#dropDamaged(corpus, id, damaged);
    const usable = near.filter((each) => each.vector !== undefined);
    const index = new VectorIndex(usable.length, embedding.dimensions);
    for (const [at, each] of usable.entries()) {
      index.slot(at).set(each.vector!);
      index.added(at);
    }
    return index.nearest(vector, count).map((at) => usable[at]!.id);
  }

  async #dropDamaged(corpus: string, id: number, damaged: readonly NearText[]): Promise<void> {
    const keys = [...new Set(damaged.map(({ key }) => key))];
    const what = `${keys.length} vectors of corpus "${corpus}" in the database are damaged`;
    this.#options.onWarning(`${what}: they are left out, and the next search computes them again`);
    await this.#options.texts.dropVectors(id, keys);
  }
}

function vectorOf(text: string, embedding: TextEmbedding): Int8Array {
  const vector = new Int8Array(embedding.dimensions);
  embedding.embed(text, vector);
  return vector;
}

function toFound(passage: LabelledPassage | undefined, score: number): FoundPassage[] {
  if (passage === undefined) return [];
  const { document, text, label } = passage;
  return [{ document, text, label, score }];
}
