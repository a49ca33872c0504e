import { visible } from '../core/visible.ts';

/** A corpus or document that cannot be used. Its message names it, and the limit: one line, whatever the name of a file is. */
export class CorpusError extends Error {
  override readonly name = 'CorpusError';

  constructor(message: string, options?: ErrorOptions) {
    super(visible(message), options);
  }
}
