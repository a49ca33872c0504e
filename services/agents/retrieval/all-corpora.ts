// The corpora of the folder, and of a database if one is set. A request for a corpus of the folder needs no database.
import type { CorpusStore } from '../../corpora/corpus-store.ts';
import type { DocumentStore } from '../../corpora/document-store.ts';
import type { Search } from '../retriever.ts';
import type { FoundPassage } from './corpus-index.ts';
import { corpusName } from './corpus-name.ts';
import type { CorpusSearcher, Pending } from './corpus-searcher.ts';

interface AllCorporaParts {
  readonly store: CorpusStore;
  readonly folder: CorpusSearcher;
  /** Undefined: none is set. */
  readonly database?: { readonly documents: DocumentStore; readonly searcher: CorpusSearcher };
}

export class AllCorpora implements CorpusSearcher {
  readonly #parts: AllCorporaParts;

  constructor(parts: AllCorporaParts) {
    this.#parts = parts;
  }

  /** `corpus` empty: the only corpus. Throws UNKNOWN_CORPUS or CORPUS_UNAVAILABLE. */
  async nameOf(corpus: string): Promise<string> {
    const { store, database } = this.#parts;
    if (corpus !== '' && (store.has(corpus) || (await database?.documents.has(corpus)))) return corpus;
    return corpusName(corpus, [...new Set([...store.names(), ...((await database?.documents.names()) ?? [])])]);
  }

  async search(search: Search): Promise<readonly FoundPassage[]> {
    const corpus = await this.nameOf(search.corpus);
    return this.#of(corpus).search({ ...search, corpus });
  }

  async pending(corpus: string, model: string, count: number): Promise<Pending> {
    return this.#of(await this.nameOf(corpus)).pending(corpus, model, count);
  }

  async label(corpus: string, model: string, labels: ReadonlyMap<string, string>): Promise<void> {
    await this.#of(await this.nameOf(corpus)).label(corpus, model, labels);
  }

  #of(name: string): CorpusSearcher {
    const { store, folder, database } = this.#parts;
    return store.has(name) || database === undefined ? folder : database.searcher;
  }
}
