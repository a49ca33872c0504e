// An encoded span in the queue of OpenTelemetry's batch processor. It has only the fields that the processor reads.
import { type SpanContext, TraceFlags } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { EncodedSpan } from '../core/encoded-span.ts';

/** Every span in the queue is sampled; its ids are in its bytes. */
const SAMPLED: SpanContext = { traceId: '', spanId: '', traceFlags: TraceFlags.SAMPLED };

export class OutgoingSpan {
  readonly encoded: EncodedSpan;
  /** The resource of this process. Some attributes are determined asynchronously, and a batch waits for them. */
  readonly resource: Resource;

  constructor(encoded: EncodedSpan, resource: Resource) {
    this.encoded = encoded;
    this.resource = resource;
  }

  spanContext(): SpanContext {
    return SAMPLED;
  }
}
