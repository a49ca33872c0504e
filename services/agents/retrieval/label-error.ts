// The error of a search for a label that no passage has.
import { RouterError } from '../../core/errors.ts';

/** `known`: the corpus's labels. */
export function unknownLabel(corpus: string, label: string, known: readonly string[]): RouterError {
  const message =
    known.length === 0
      ? `the passages of corpus "${corpus}" have no labels yet; run: tandem corpus index ${corpus}`
      : `no passage of corpus "${corpus}" has label "${label.slice(0, 64)}"; labels: ${known.join(', ')}`;
  return new RouterError('INVALID_FIELD', message, { field: 'label' });
}
