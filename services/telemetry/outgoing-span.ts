// A span that is bytes, in the queue of OpenTelemetry's batch processor, which asks of a span only what is here.
import { type SpanContext, TraceFlags } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { EncodedSpan } from '../core/encoded-span.ts';

/** What is in the queue is to be sent; its ids are in its bytes. */
const SAMPLED: SpanContext = { traceId: '', spanId: '', traceFlags: TraceFlags.SAMPLED };

export class OutgoingSpan {
  readonly encoded: EncodedSpan;
  /** This process's: parts of it may take a moment to find out, and a batch waits for them. */
  readonly resource: Resource;

  constructor(encoded: EncodedSpan, resource: Resource) {
    this.encoded = encoded;
    this.resource = resource;
  }

  spanContext(): SpanContext {
    return SAMPLED;
  }
}
