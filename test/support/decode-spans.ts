// Decodes kept spans for tests, in the same way as the dashboard.
import { decodeSpans as decode } from '../../services/api/otlp-span.ts';
import type { EncodedSpans } from '../../services/core/encoded-spans.ts';
import type { Span } from '../../services/core/span.ts';

/** Throws if they cannot be decoded. */
export function decodeSpans(encoded: EncodedSpans): Span[] {
  const spans = decode(encoded);
  if (spans.length !== encoded.count) throw new Error(`cannot read ${Buffer.from(encoded.bytes).toString('hex')}`);
  return spans;
}
