// One corpus in memory: BM25 over its words and nearest vectors of its meaning, fused to one ranking.
import { setImmediate as nextTurn } from 'node:timers/promises';
import MiniSearch from 'minisearch';
import type { StoredPassage } from '../../corpora/corpus-store.ts';
import { fuse } from './fuse.ts';
import type { TextEmbedding } from './text-embedding.ts';
import { VectorIndex } from './vector-index.ts';

/** Passages to index before other work runs. */
const CHUNK = 64;
/** Length of each ranking before they are fused. */
export const CANDIDATES = 100;
/** A longer query is cut: its first characters say what it is about, and the work stays bounded. */
export const MAX_QUERY_CHARS = 2_000;

export interface FoundPassage extends StoredPassage {
  readonly score: number;
  /** Empty: it has none. */
  readonly label: string;
}

export type SearchBy = 'words' | 'meaning' | 'both';

export class CorpusIndex {
  readonly #passages: readonly StoredPassage[];
  readonly #words: MiniSearch<StoredPassage & { id: number }>;
  readonly #vectors: VectorIndex | undefined;
  readonly #embedding: TextEmbedding | undefined;
  /** By index; undefined: not known yet. */
  readonly #labels: (string | undefined)[];

  private constructor(passages: readonly StoredPassage[], embedding: TextEmbedding | undefined) {
    this.#passages = passages;
    this.#words = new MiniSearch({ fields: ['text'] });
    this.#embedding = embedding;
    this.#labels = passages.map(() => undefined);
    this.#vectors = embedding && new VectorIndex(passages.length, embedding.dimensions);
  }

  /** Without an embedding only words are searched. Lets other work run every few milliseconds. */
  static async build(
    passages: readonly StoredPassage[],
    embedding?: TextEmbedding,
    onProgress: (done: number, total: number) => void = () => undefined,
  ): Promise<CorpusIndex> {
    const index = new CorpusIndex(passages, embedding);
    for (let from = 0; from < passages.length; from += CHUNK) {
      onProgress(from, passages.length);
      index.#add(from, Math.min(passages.length, from + CHUNK));
      await nextTurn();
    }
    return index;
  }

  /** Characters of all passages. */
  get size(): number {
    return this.#passages.reduce((sum, { text }) => sum + text.length, 0);
  }

  get passages(): readonly StoredPassage[] {
    return this.#passages;
  }

  labelOf(index: number): string | undefined {
    return this.#labels[index];
  }

  setLabel(index: number, label: string | undefined): void {
    this.#labels[index] = label;
  }

  /** Passages with `label` (if it is not empty), best first. Scores are comparable within one answer only. */
  search(query: string, count: number, by: SearchBy = 'both', label = ''): FoundPassage[] {
    const accepts = label === '' ? undefined : (index: number): boolean => this.#labels[index] === label;
    const text = query.slice(0, MAX_QUERY_CHARS);
    const depth = Math.max(CANDIDATES, count);
    const lists = [
      ...(by === 'meaning' ? [] : [this.#byWords(text, depth, accepts)]),
      ...(by === 'words' ? [] : [this.#byMeaning(text, depth, accepts)]),
    ];
    return fuse(lists)
      .slice(0, count)
      .map(({ index, score }) => ({ ...this.#passages[index]!, score, label: this.#labels[index] ?? '' }));
  }

  #add(from: number, to: number): void {
    for (let index = from; index < to; index += 1) {
      const passage = this.#passages[index]!;
      this.#words.add({ ...passage, id: index });
      if (this.#vectors === undefined) continue;
      this.#embedding!.embed(passage.text, this.#vectors.slot(index));
      this.#vectors.added(index);
    }
  }

  #byWords(query: string, count: number, accepts?: (index: number) => boolean): number[] {
    return this.#words
      .search(query, accepts && { filter: ({ id }) => accepts(id as number) })
      .slice(0, count)
      .map(({ id }) => id as number);
  }

  #byMeaning(query: string, count: number, accepts?: (index: number) => boolean): number[] {
    if (this.#vectors === undefined) return [];
    const vector = new Int8Array(this.#embedding!.dimensions);
    this.#embedding!.embed(query, vector);
    return this.#vectors.nearest(vector, count, accepts);
  }
}
