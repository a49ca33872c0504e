// What kept spans say, for tests: read as the dashboard reads them.
import { decodeSpan } from '../../services/api/otlp-span.ts';
import type { EncodedSpan } from '../../services/core/encoded-span.ts';
import type { Span } from '../../services/core/span.ts';

export const decode = decodeSpan;

/** Throws where one cannot be read. */
export function decodeSpans(spans: readonly EncodedSpan[]): Span[] {
  return spans.map((span) => {
    const read = decodeSpan(span);
    if (read === undefined) throw new Error(`cannot read ${Buffer.from(span.bytes).toString('hex')}`);
    return read;
  });
}
