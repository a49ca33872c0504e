// A store of documents: a folder (CorpusStore) or a database (CorpusDatabase).
import type { Document } from './read-documents.ts';

export interface CorpusSummary {
  readonly name: string;
  readonly documents: number;
  readonly passages: number;
  readonly bytes: number;
}

type MaybePromise<T> = T | Promise<T>;

/** Each method throws CorpusError for a wrong request, and RouterError CORPUS_UNAVAILABLE if a database cannot be used. */
export interface DocumentStore {
  /** Sorted. */
  names(): MaybePromise<string[]>;
  has(name: string): MaybePromise<boolean>;
  summary(name: string): MaybePromise<CorpusSummary>;
  /** Replaces documents with the same name, and keeps the others. */
  add(name: string, documents: readonly Document[]): MaybePromise<CorpusSummary>;
  remove(name: string): MaybePromise<void>;
}
