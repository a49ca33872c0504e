// Finds the corpus that a request means.
import { RouterError } from '../../core/errors.ts';

/** `corpus` empty: the only one of `names`. Throws UNKNOWN_CORPUS. */
export function corpusName(corpus: string, names: readonly string[]): string {
  if (names.includes(corpus)) return corpus;
  if (corpus !== '') throw missingCorpus(corpus, names);
  if (names.length === 1) return names[0]!;
  throw unknownCorpus(names.length === 0 ? 'there is no corpus' : 'there are several corpora; name one', names);
}

export function missingCorpus(name: string, names: readonly string[]): RouterError {
  return unknownCorpus(`there is no corpus "${name.slice(0, 64)}"`, names);
}

export function unknownCorpus(what: string, names: readonly string[]): RouterError {
  const known = [...names].sort().join(', ');
  const message = `${what}; there are: ${known || 'none. Add one: tandem corpus add NAME PATH'}`;
  return new RouterError('UNKNOWN_CORPUS', message, { field: 'corpus' });
}
