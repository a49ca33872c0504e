// A finished span of the router or of an engine, as it is stored, shown and exported. Times and ids as in
// OpenTelemetry.

export type SpanKind = 'INTERNAL' | 'SERVER' | 'CLIENT';

export type Attributes = Readonly<Record<string, string | number | boolean>>;

interface SpanEvent {
  readonly name: string;
  /** Milliseconds since 1970, fractional. */
  readonly timeMs: number;
  readonly attributes: Attributes;
}

export interface Span {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Empty: none. */
  readonly parentSpanId: string;
  /** W3C's `tracestate`; empty: none. */
  readonly traceState: string;
  readonly name: string;
  /** Which program recorded it. Example: "tandem-router". */
  readonly service: string;
  /** Which of its processes. Example: "engine-1". */
  readonly instance: string;
  readonly kind: SpanKind;
  /** Milliseconds since 1970, fractional. */
  readonly startMs: number;
  readonly durationMs: number;
  /** The error; empty: none. */
  readonly error: string;
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
}
