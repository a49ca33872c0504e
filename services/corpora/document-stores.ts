// Corpora of a folder and of a database, as one store. A corpus of the folder stays there; a new one goes to the database.
import type { CorpusStore } from './corpus-store.ts';
import type { CorpusSummary, DocumentStore } from './document-store.ts';
import type { Document } from './read-documents.ts';

export class DocumentStores implements DocumentStore {
  readonly #folder: CorpusStore;
  readonly #database: DocumentStore;

  constructor(folder: CorpusStore, database: DocumentStore) {
    this.#folder = folder;
    this.#database = database;
  }

  async names(): Promise<string[]> {
    return [...new Set([...this.#folder.names(), ...(await this.#database.names())])].sort();
  }

  async has(name: string): Promise<boolean> {
    return this.#folder.has(name) || (await this.#database.has(name));
  }

  async summary(name: string): Promise<CorpusSummary> {
    return this.#of(name).summary(name);
  }

  async add(name: string, documents: readonly Document[]): Promise<CorpusSummary> {
    return this.#of(name).add(name, documents);
  }

  async remove(name: string): Promise<void> {
    await this.#of(name).remove(name);
  }

  #of(name: string): DocumentStore {
    return this.#folder.has(name) ? this.#folder : this.#database;
  }
}
