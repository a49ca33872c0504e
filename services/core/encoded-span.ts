// A finished span as bytes in OTLP's format, written or received once. Most spans are dropped from the ring or exported
// without being decoded; readers decode them (api/otlp-span.ts).

/** The process that recorded a span. One object for all its spans. */
export interface SpanSource {
  readonly service: string;
  readonly instance: string;
}

export class EncodedSpan {
  /** 32 hexadecimal digits, so that spans are found without decoding. */
  readonly traceId: string;
  readonly source: SpanSource;
  /** Contains other spans, too; bytes of spans are never overwritten. */
  readonly memory: Uint8Array;
  /**
   * `memory` from here to `end` is one element of ScopeSpans.spans with its tag and length, so consecutive spans form a
   * list.
   */
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
