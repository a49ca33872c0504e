// Finds passages in the corpora of a folder. A corpus is indexed at its first query, and again when its file has
// changed. When all indices together are too large, the least recently used are dropped.
import { CorpusError } from '../../corpora/corpus-error.ts';
import type { CorpusStore } from '../../corpora/corpus-store.ts';
import { LabelFile, passageKey } from '../../corpora/label-file.ts';
import { MAX_CORPUS_BYTES } from '../../corpora/limits.ts';
import type { Search } from '../retriever.ts';
import { missingCorpus, unknownCorpus } from './corpus-name.ts';
import { CorpusIndex, type FoundPassage } from './corpus-index.ts';
import type { CorpusSearcher, Pending } from './corpus-searcher.ts';
import { unknownLabel } from './label-error.ts';
import type { TextEmbedding } from './text-embedding.ts';

/** Characters of all indices together. */
const MAX_KEPT_CHARS = MAX_CORPUS_BYTES;

interface Opened {
  readonly index: CorpusIndex;
  readonly labels: LabelFile;
  /** Index of the first passage that may lack a label. */
  next: number;
}

interface Kept {
  readonly stamp: string;
  readonly opened: Promise<Opened>;
  chars: number;
}

interface CorpusRetrieverOptions {
  readonly store: CorpusStore;
  /** Undefined: only words are searched. */
  readonly embedding: () => TextEmbedding | undefined;
  /** Called during indexing with the number of passages indexed so far. */
  readonly onIndexed?: (corpus: string, done: number, total: number) => void;
}

export class CorpusRetriever implements CorpusSearcher {
  readonly #store: CorpusStore;
  readonly #embedding: () => TextEmbedding | undefined;
  readonly #onIndexed: NonNullable<CorpusRetrieverOptions['onIndexed']>;
  /** By name; the most recently used is last. */
  readonly #kept = new Map<string, Kept>();

  constructor({ store, embedding, onIndexed = () => undefined }: CorpusRetrieverOptions) {
    this.#store = store;
    this.#onIndexed = onIndexed;
    this.#embedding = embedding;
  }

  async search({ query, corpus, topK, label }: Search): Promise<readonly FoundPassage[]> {
    const { index } = await this.#open(corpus);
    if (label !== '') checkLabel(corpus, index, label);
    return index.search(query, topK, 'both', label);
  }

  async pending(corpus: string, model: string, count: number): Promise<Pending> {
    const opened = await this.#open(corpus);
    const { index, labels } = opened;
    if (model !== '' && labels.model !== model) {
      labels.add(model, []);
      opened.next = 0;
      for (const at of index.passages.keys()) index.setLabel(at, undefined);
    }
    const total = index.passages.length;
    while (opened.next < total && index.labelOf(opened.next) !== undefined) opened.next += 1;
    const texts = new Set<string>();
    for (let at = opened.next; at < total && texts.size < count; at += 1) {
      if (index.labelOf(at) === undefined) texts.add(index.passages[at]!.text);
    }
    return { corpus, texts: [...texts], done: opened.next, total };
  }

  async label(corpus: string, model: string, labels: ReadonlyMap<string, string>): Promise<void> {
    const { index, labels: file, next } = await this.#open(corpus);
    const keys = [...labels].map(([text, label]) => [passageKey(text), label] as const);
    file.add(model, keys);
    for (let at = next; at < index.passages.length; at += 1) {
      const label = index.labelOf(at) === undefined ? labels.get(index.passages[at]!.text) : undefined;
      if (label !== undefined) index.setLabel(at, label);
    }
  }

  #open(name: string): Promise<Opened> {
    const stamp = this.#store.stamp(name);
    if (stamp === undefined) {
      this.#kept.delete(name);
      throw missingCorpus(name, this.#store.names());
    }
    const known = this.#kept.get(name);
    this.#kept.delete(name);
    const kept = known?.stamp === stamp ? known : this.#index(name, stamp);
    this.#kept.set(name, kept);
    return kept.opened;
  }

  #index(name: string, stamp: string): Kept {
    const kept: Kept = { stamp, chars: 0, opened: this.#read(name) };
    kept.opened.then(
      ({ index }) => {
        kept.chars = index.size;
        this.#dropOld();
      },
      () => {
        if (this.#kept.get(name) === kept) this.#kept.delete(name);
      },
    );
    return kept;
  }

  async #read(name: string): Promise<Opened> {
    try {
      const index = await CorpusIndex.build(this.#store.read(name), this.#embedding(), (done, total) =>
        this.#onIndexed(name, done, total),
      );
      const labels = new LabelFile(this.#store.labelFile(name));
      for (const [at, { text }] of index.passages.entries()) index.setLabel(at, labels.get(passageKey(text)));
      return { index, labels, next: 0 };
    } catch (error) {
      if (error instanceof CorpusError) throw unknownCorpus(error.message, this.#store.names());
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
}

/** Throws INVALID_FIELD if no passage has it. */
function checkLabel(corpus: string, index: CorpusIndex, label: string): void {
  const labels = new Set(index.passages.map((_, at) => index.labelOf(at)));
  if (labels.has(label)) return;
  const known = [...labels].filter((each): each is string => each !== undefined && each !== '').sort();
  throw unknownLabel(corpus, label, known);
}
