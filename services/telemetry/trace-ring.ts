// The last traces that were kept, for users without a collector. Bounded by traces, by spans in all, and by spans
// of one trace, which a caller who sends one `traceparent` for ever would make grow for ever.
// They stay bytes until somebody looks.
import type { EncodedSpan } from '../core/encoded-span.ts';
import type { Attributes, Span } from '../core/span.ts';

export interface TraceSummary {
  readonly traceId: string;
  /** Of the root, as the following; of the span that came first where the root has not come (yet). */
  readonly name: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly error: string;
  readonly attributes: Attributes;
  readonly spans: number;
  /** That recorded them, in the order in which they came. */
  readonly services: readonly string[];
}

export interface TraceRingLimits {
  readonly maxTraces: number;
  readonly maxSpans: number;
  readonly maxSpansPerTrace: number;
  readonly maxBytes: number;
}

/** Undefined: it cannot be read. */
export type SpanDecoder = (span: EncodedSpan) => Span | undefined;

const LIMITS: TraceRingLimits = {
  maxTraces: 1_000,
  maxSpans: 20_000,
  maxSpansPerTrace: 2_000,
  maxBytes: 64 * 1_048_576,
};

export class TraceRing {
  readonly #limits: TraceRingLimits;
  readonly #traces = new Map<string, EncodedSpan[]>();
  /** Their ids from `#oldest` on, oldest first: a trace has its place from its first span. */
  #order: string[] = [];
  #oldest = 0;
  readonly #decode: SpanDecoder;
  #spans = 0;
  #bytes = 0;
  #refused = 0;

  constructor(decode: SpanDecoder, limits: TraceRingLimits = LIMITS) {
    this.#decode = decode;
    this.#limits = limits;
  }

  /** Traces and spans that it holds, and spans that it did not take because their trace was full. */
  get stats(): { readonly traces: number; readonly spans: number; readonly refused: number } {
    return { traces: this.#traces.size, spans: this.#spans, refused: this.#refused };
  }

  /** They may be of several traces. */
  add(spans: readonly EncodedSpan[]): void {
    for (const span of spans) this.#add(span);
    const { maxSpans, maxTraces, maxBytes } = this.#limits;
    while (this.#spans > maxSpans || this.#traces.size > maxTraces || this.#bytes > maxBytes) this.#dropOldest();
  }

  /** Newest first. */
  recent(limit: number): readonly TraceSummary[] {
    return [...this.#traces.values()]
      .slice(-Math.max(1, limit))
      .reverse()
      .flatMap((encoded) => toSummary(this.#read(encoded)) ?? []);
  }

  /** In the order of their beginning; none of a trace that is not held. */
  spans(traceId: string): readonly Span[] {
    return this.#read(this.#traces.get(traceId) ?? []).sort((a, b) => a.startMs - b.startMs);
  }

  #read(spans: readonly EncodedSpan[]): Span[] {
    return spans.flatMap((span) => this.#decode(span) ?? []);
  }

  #add(span: EncodedSpan): void {
    const kept = this.#traces.get(span.traceId);
    if (kept === undefined) {
      this.#traces.set(span.traceId, [span]);
      this.#order.push(span.traceId);
    } else if (kept.length < this.#limits.maxSpansPerTrace) {
      kept.push(span);
    } else {
      this.#refused += 1;
      return;
    }
    this.#spans += 1;
    this.#bytes += span.end - span.start;
  }

  /** The map itself knows which is oldest, but steps over all that it has forgotten to find it. */
  #dropOldest(): void {
    const traceId = this.#order[this.#oldest]!;
    this.#oldest += 1;
    if (this.#oldest > this.#limits.maxTraces) {
      this.#order = this.#order.slice(this.#oldest);
      this.#oldest = 0;
    }
    const spans = this.#traces.get(traceId)!;
    this.#traces.delete(traceId);
    this.#spans -= spans.length;
    for (const { start, end } of spans) this.#bytes -= end - start;
  }
}

/** Items of one call share a trace, each with a root of its own: the first of them stands for all. */
function toSummary(spans: readonly Span[]): TraceSummary | undefined {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const root = spans.find(({ parentSpanId }) => !ids.has(parentSpanId)) ?? spans[0];
  if (root === undefined) return undefined;
  const { traceId, name, startMs, durationMs, attributes } = root;
  const error = root.error || (spans.find((span) => span.error !== '' && !ids.has(span.parentSpanId))?.error ?? '');
  const services = [...new Set(spans.map(({ service }) => service))];
  return { traceId, name, startMs, durationMs, error, attributes, spans: spans.length, services };
}
