// Encoded spans of one trace in the queue of OpenTelemetry's batch processor. The processor counts elements, so there is a
// placeholder for each span but the last. Elements have only the fields that the processor reads.
import { type SpanContext, TraceFlags } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { EncodedSpans } from '../core/encoded-spans.ts';

/** Every span in the queue is sampled; its ids are in its bytes. */
const SAMPLED: SpanContext = { traceId: '', spanId: '', traceFlags: TraceFlags.SAMPLED };

export class OutgoingSpans {
  readonly encoded: EncodedSpans;
  /** The resource of this process. Some attributes are determined asynchronously, and a batch waits for them. */
  readonly resource: Resource;

  constructor(encoded: EncodedSpans, resource: Resource) {
    this.encoded = encoded;
    this.resource = resource;
  }

  spanContext(): SpanContext {
    return SAMPLED;
  }
}

/** A span whose bytes are in a later element. */
export class SpanPlaceholder {
  readonly resource: Resource;

  constructor(resource: Resource) {
    this.resource = resource;
  }

  spanContext(): SpanContext {
    return SAMPLED;
  }
}
