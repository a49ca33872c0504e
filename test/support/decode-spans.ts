// Decodes kept spans for tests, in the same way as the dashboard.
import { decodeSpan } from '../../services/api/otlp-span.ts';
import type { EncodedSpan } from '../../services/core/encoded-span.ts';
import type { Span } from '../../services/core/span.ts';

export const decode = decodeSpan;

/** Throws if a span cannot be decoded. */
export function decodeSpans(spans: readonly EncodedSpan[]): Span[] {
  return spans.map((span) => {
    const read = decodeSpan(span);
    if (read === undefined) throw new Error(`cannot read ${Buffer.from(span.bytes).toString('hex')}`);
    return read;
  });
}
