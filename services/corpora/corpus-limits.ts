// Limits of a corpus, which every store checks.
import { CorpusError } from './corpus-error.ts';
import { MAX_CORPORA, MAX_CORPUS_BYTES, MAX_DOCUMENTS, MAX_PASSAGES } from './limits.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

export function isCorpusName(name: string): boolean {
  return NAME.test(name);
}

/** Throws CorpusError. */
export function checkCorpusName(name: string): void {
  if (isCorpusName(name)) return;
  throw new CorpusError(`"${name.slice(0, 80)}" is no name for a corpus; use 1 to 64 letters, digits, "-" and "_"`);
}

/** `count` includes the new corpus. Throws CorpusError. */
export function checkCorpusCount(count: number): void {
  if (count > MAX_CORPORA) throw new CorpusError(`there are ${MAX_CORPORA} corpora, the limit; remove one`);
}

interface CorpusSize {
  readonly documents: number;
  readonly passages: number;
  readonly bytes: number;
}

/** Throws CorpusError. */
export function checkCorpusSize({ documents, passages, bytes }: CorpusSize): void {
  if (passages === 0) throw new CorpusError('the documents have no text; name others');
  const limits = [
    [documents, MAX_DOCUMENTS, 'documents'],
    [passages, MAX_PASSAGES, 'passages'],
    [bytes, MAX_CORPUS_BYTES, 'bytes'],
  ] as const;
  for (const [found, limit, what] of limits) {
    if (found > limit)
      throw new CorpusError(`the corpus would have ${found} ${what}, the limit is ${limit}; make several`);
  }
}

export function missingCorpusError(name: string, names: readonly string[]): CorpusError {
  return new CorpusError(`there is no corpus "${name.slice(0, 64)}"; there are: ${names.join(', ') || 'none'}`);
}
