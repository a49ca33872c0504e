// Messages between the router and the thread of the corpora.
import type { ErrorKind } from '../../core/errors.ts';
import type { Search } from '../retriever.ts';

/** A PostgreSQL database, as setting agents.postgres names it. */
export interface DatabaseSetup {
  readonly url: string;
  readonly maxConnections: number;
  readonly timeoutMs: number;
}

export interface ThreadSetup {
  readonly corpusDir: string;
  readonly modelsDir: string;
  readonly defaultModel: string;
  /** Undefined: corpora are in the folder only. */
  readonly database: DatabaseSetup | undefined;
}

export type CorpusRequest =
  | { readonly what: 'name'; readonly corpus: string }
  | { readonly what: 'search'; readonly search: Search }
  | { readonly what: 'pending'; readonly corpus: string; readonly model: string; readonly count: number }
  | {
      readonly what: 'label';
      readonly corpus: string;
      readonly model: string;
      readonly labels: ReadonlyMap<string, string>;
    };

export interface NumberedRequest {
  readonly id: number;
  readonly request: CorpusRequest;
}

/** `warning`: for the log. `indexed`: passages of a corpus indexed so far. */
export type CorpusReply =
  | { readonly warning: string }
  | { readonly corpus: string; readonly indexed: number; readonly total: number }
  | { readonly id: number; readonly result: unknown }
  | {
      readonly id: number;
      readonly error: { readonly kind: ErrorKind; readonly message: string; readonly field: string | undefined };
      /** Of an unexpected one, for the log. */
      readonly stack: string;
    };
