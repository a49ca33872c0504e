// A finished span as it is kept and sent on: bytes in OTLP's own form, written or received once. Most of them are pushed out
// of the ring again or leave for a collector without being decoded; a reader decodes them (api/otlp-span.ts).

/** The process that recorded a span. One object for all its spans. */
export interface SpanSource {
  readonly service: string;
  readonly instance: string;
}

export class EncodedSpan {
  /** 32 hexadecimal digits, so that spans are found without being read. */
  readonly traceId: string;
  readonly source: SpanSource;
  /** Holds other spans, too; never written to again where they are. */
  readonly memory: Uint8Array;
  /** `memory` from here to `end` is one element of ScopeSpans.spans, with its tag and length: spans side by side are a list. */
  readonly start: number;
  readonly end: number;

  constructor(traceId: string, source: SpanSource, memory: Uint8Array, start: number, end: number) {
    this.traceId = traceId;
    this.source = source;
    this.memory = memory;
    this.start = start;
    this.end = end;
  }

  get bytes(): Uint8Array {
    return this.memory.subarray(this.start, this.end);
  }
}
