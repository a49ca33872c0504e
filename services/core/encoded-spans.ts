// Finished spans of one trace as bytes in OTLP's format, written or received once. Most are dropped from the ring or
// exported without being decoded; readers decode them (api/otlp-span.ts).

/** The process that recorded a span. One object for all its spans. */
export interface SpanSource {
  readonly service: string;
  readonly instance: string;
}

export class EncodedSpans {
  /** 32 hexadecimal digits, so that spans are found without decoding. */
  readonly traceId: string;
  readonly source: SpanSource;
  /** Contains other spans, too; bytes of spans are never overwritten. */
  readonly memory: Uint8Array;
  /**
   * `memory` from here to `end` is a list of elements of ScopeSpans.spans, each with its tag and length, so adjacent lists
   * form one list.
   */
  readonly start: number;
  readonly end: number;
  /** Number of spans. */
  readonly count: number;

  constructor(traceId: string, source: SpanSource, memory: Uint8Array, start: number, end: number, count: number) {
    this.traceId = traceId;
    this.source = source;
    this.memory = memory;
    this.start = start;
    this.end = end;
    this.count = count;
  }

  get bytes(): Uint8Array {
    return this.memory.subarray(this.start, this.end);
  }
}
