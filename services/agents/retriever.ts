// The source of passages for a query.
import type { CallContext } from '../core/inference.ts';
import type { Passage } from './types.ts';

export interface Search {
  readonly query: string;
  /** Empty: the only one there is. */
  readonly corpus: string;
  readonly topK: number;
  /** Only passages with this label; empty: all. */
  readonly label: string;
}

export interface Retriever {
  /** The best passages of a corpus, best first. Throws UNKNOWN_CORPUS, or INVALID_FIELD if no passage has the label. */
  search(search: Search, context: CallContext): Promise<readonly Passage[]>;
}
