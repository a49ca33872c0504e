import { visible } from '../core/visible.ts';

/** An invalid corpus or document. The message names it and the limit, on one line, whatever a file name contains. */
export class CorpusError extends Error {
  override readonly name = 'CorpusError';

  constructor(message: string, options?: ErrorOptions) {
    super(visible(message), options);
  }
}
