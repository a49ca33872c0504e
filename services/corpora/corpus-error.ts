/** A corpus or document that cannot be used. Its message names it, and the limit. */
export class CorpusError extends Error {
  override readonly name = 'CorpusError';
}
