// Searching and indexing of corpora, in a folder or a database.
import type { Search } from '../retriever.ts';
import type { FoundPassage } from './corpus-index.ts';

/** What is left to label. */
export interface Pending {
  readonly corpus: string;
  /** Texts of passages without a label, without duplicates. Empty: all passages have one. */
  readonly texts: readonly string[];
  /** Number of passages with a label; the folder counts only those before the first of these texts. */
  readonly done: number;
  readonly total: number;
}

export interface CorpusSearcher {
  /** Throws UNKNOWN_CORPUS, CORPUS_UNAVAILABLE, or INVALID_FIELD if no passage has the label. */
  search(search: Search): Promise<readonly FoundPassage[]>;
  /**
   * Indexes the corpus, then returns at most `count` texts that `model` has not labelled. Labels of another model are
   * dropped or replaced. `model` empty: no texts. Throws UNKNOWN_CORPUS or CORPUS_UNAVAILABLE.
   */
  pending(corpus: string, model: string, count: number): Promise<Pending>;
  /** Stores labels of passages. A search sees them at once. Throws UNKNOWN_CORPUS or CORPUS_UNAVAILABLE. */
  label(corpus: string, model: string, labels: ReadonlyMap<string, string>): Promise<void>;
}
