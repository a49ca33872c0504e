// Finds passages in the corpora of a folder. A corpus is indexed when it is first asked about, and again when its file has
// changed; those that were asked about longest ago are dropped where all together are too large.
import type { CallContext } from '../../core/inference.ts';
import { RouterError } from '../../core/errors.ts';
import { throwIfCancelled } from '../../core/call.ts';
import { CorpusError } from '../../corpora/corpus-error.ts';
import type { CorpusStore } from '../../corpora/corpus-store.ts';
import { MAX_CORPUS_BYTES } from '../../corpora/limits.ts';
import { CorpusIndex, type FoundPassage } from './corpus-index.ts';
import type { TextEmbedding } from './text-embedding.ts';

/** Characters of all indices together. */
const MAX_KEPT_CHARS = MAX_CORPUS_BYTES;

interface Kept {
  readonly stamp: string;
  readonly index: Promise<CorpusIndex>;
  chars: number;
}

interface CorpusRetrieverOptions {
  readonly store: CorpusStore;
  /** Asked for once, when it is first needed; undefined: only words are searched. */
  readonly embedding: () => TextEmbedding | undefined;
}

export class CorpusRetriever {
  readonly #store: CorpusStore;
  readonly #embedding: () => TextEmbedding | undefined;
  /** By name; the one asked about last is the last. */
  readonly #kept = new Map<string, Kept>();

  constructor({ store, embedding }: CorpusRetrieverOptions) {
    this.#store = store;
    let made: { readonly embedding: TextEmbedding | undefined } | undefined;
    this.#embedding = () => (made ??= { embedding: embedding() }).embedding;
  }

  /** The best `topK` passages, the best first. `corpus` empty: the only one there is. Throws UNKNOWN_CORPUS. */
  async search(query: string, corpus: string, topK: number, context: CallContext): Promise<readonly FoundPassage[]> {
    const index = await this.#indexOf(this.#nameOf(corpus));
    throwIfCancelled(context);
    return index.search(query, topK);
  }

  #nameOf(corpus: string): string {
    if (corpus !== '') return corpus;
    const names = this.#store.names();
    if (names.length === 1) return names[0]!;
    throw this.#unknown(names.length === 0 ? 'there is no corpus' : 'there are several corpora; name one');
  }

  #indexOf(name: string): Promise<CorpusIndex> {
    const stamp = this.#store.stamp(name);
    if (stamp === undefined) {
      this.#kept.delete(name);
      throw this.#unknown(`there is no corpus "${name.slice(0, 64)}"`);
    }
    const known = this.#kept.get(name);
    this.#kept.delete(name);
    const kept = known?.stamp === stamp ? known : this.#index(name, stamp);
    this.#kept.set(name, kept);
    return kept.index;
  }

  #index(name: string, stamp: string): Kept {
    const kept: Kept = { stamp, chars: 0, index: this.#read(name) };
    kept.index.then(
      ({ size }) => {
        kept.chars = size;
        this.#dropOld();
      },
      () => {
        if (this.#kept.get(name) === kept) this.#kept.delete(name);
      },
    );
    return kept;
  }

  async #read(name: string): Promise<CorpusIndex> {
    try {
      return await CorpusIndex.build(this.#store.read(name), this.#embedding());
    } catch (error) {
      if (error instanceof CorpusError) throw this.#unknown(error.message);
      throw error;
    }
  }

  #dropOld(): void {
    let chars = [...this.#kept.values()].reduce((sum, kept) => sum + kept.chars, 0);
    for (const [name, kept] of this.#kept) {
      if (chars <= MAX_KEPT_CHARS || this.#kept.size === 1) return;
      this.#kept.delete(name);
      chars -= kept.chars;
    }
  }

  #unknown(what: string): RouterError {
    const names = this.#store.names().join(', ');
    const message = `${what}; there are: ${names || 'none. Add one: tandem corpus add NAME PATH'}`;
    return new RouterError('UNKNOWN_CORPUS', message, { field: 'corpus' });
  }
}
