// Finds the corpus that a request means.
import { RouterError } from '../../core/errors.ts';
import type { CorpusStore } from '../../corpora/corpus-store.ts';

/** `corpus` empty: the only one there is. Throws UNKNOWN_CORPUS. */
export function corpusName(store: CorpusStore, corpus: string): string {
  if (corpus !== '') {
    if (store.stamp(corpus) !== undefined) return corpus;
    throw missingCorpus(store, corpus);
  }
  const names = store.names();
  if (names.length === 1) return names[0]!;
  throw unknownCorpus(store, names.length === 0 ? 'there is no corpus' : 'there are several corpora; name one');
}

export function missingCorpus(store: CorpusStore, name: string): RouterError {
  return unknownCorpus(store, `there is no corpus "${name.slice(0, 64)}"`);
}

export function unknownCorpus(store: CorpusStore, what: string): RouterError {
  const names = store.names().join(', ');
  const message = `${what}; there are: ${names || 'none. Add one: tandem corpus add NAME PATH'}`;
  return new RouterError('UNKNOWN_CORPUS', message, { field: 'corpus' });
}
