// Finds passages in the corpora of a folder. A corpus is indexed at its first query, and again when its file has
// changed. When all indices together are too large, the least recently used are dropped.
import { RouterError } from '../../core/errors.ts';
import { CorpusError } from '../../corpora/corpus-error.ts';
import type { CorpusStore } from '../../corpora/corpus-store.ts';
import { LabelFile, passageKey } from '../../corpora/label-file.ts';
import { MAX_CORPUS_BYTES } from '../../corpora/limits.ts';
import type { Search } from '../retriever.ts';
import { corpusName, missingCorpus, unknownCorpus } from './corpus-name.ts';
import { CorpusIndex, type FoundPassage } from './corpus-index.ts';
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

/** What is left to label. */
export interface Pending {
  readonly corpus: string;
  /** Texts of passages without a label, without duplicates. Empty: all passages have one. */
  readonly texts: readonly string[];
  /** Number of passages before the first of these. */
  readonly done: number;
  readonly total: number;
}

interface CorpusRetrieverOptions {
  readonly store: CorpusStore;
  /** Called once, when first needed. Undefined: only words are searched. */
  readonly embedding: () => TextEmbedding | undefined;
  /** Called during indexing with the number of passages indexed so far. */
  readonly onIndexed?: (corpus: string, done: number, total: number) => void;
}

export class CorpusRetriever {
  readonly #store: CorpusStore;
  readonly #embedding: () => TextEmbedding | undefined;
  readonly #onIndexed: NonNullable<CorpusRetrieverOptions['onIndexed']>;
  /** By name; the most recently used is last. */
  readonly #kept = new Map<string, Kept>();

  constructor({ store, embedding, onIndexed = () => undefined }: CorpusRetrieverOptions) {
    this.#store = store;
    this.#onIndexed = onIndexed;
    let made: { readonly embedding: TextEmbedding | undefined } | undefined;
    this.#embedding = () => (made ??= { embedding: embedding() }).embedding;
  }

  /** Throws UNKNOWN_CORPUS, or INVALID_FIELD if no passage has the label. */
  async search({ query, corpus, topK, label }: Search): Promise<readonly FoundPassage[]> {
    const name = corpusName(this.#store, corpus);
    const { index } = await this.#open(name);
    if (label !== '') checkLabel(name, index, label);
    return index.search(query, topK, 'both', label);
  }

  /** At most `count` texts that `model` has not labelled. Labels of another model are dropped; `model` empty: none are. Throws UNKNOWN_CORPUS. */
  async pending(corpus: string, model: string, count: number): Promise<Pending> {
    const name = corpusName(this.#store, corpus);
    const opened = await this.#open(name);
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
    return { corpus: name, texts: [...texts], done: opened.next, total };
  }

  /** Stores labels of passages. A search sees them at once. Throws UNKNOWN_CORPUS. */
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
      throw missingCorpus(this.#store, name);
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
      if (error instanceof CorpusError) throw unknownCorpus(this.#store, error.message);
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
  const known = [...labels].filter((each) => each !== undefined && each !== '').sort();
  const message =
    known.length === 0
      ? `the passages of corpus "${corpus}" have no labels yet; run: tandem corpus index ${corpus}`
      : `no passage of corpus "${corpus}" has label "${label.slice(0, 64)}"; labels: ${known.join(', ')}`;
  throw new RouterError('INVALID_FIELD', message, { field: 'label' });
}
