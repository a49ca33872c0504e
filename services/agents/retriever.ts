// Where the passages of a query come from.
import type { CallContext } from '../core/inference.ts';
import type { Passage } from './types.ts';

export interface Retriever {
  /** The best `topK` passages of a corpus, the best first. `corpus`: empty for the default one. Throws UNKNOWN_CORPUS. */
  search(query: string, corpus: string, topK: number, context: CallContext): Promise<readonly Passage[]>;
}
