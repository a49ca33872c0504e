// The last traces that were kept, for whoever looks without a collector. Bounded by traces, by spans in all, and by spans
// of one trace, which a caller who sends one `traceparent` for ever would make grow for ever.
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
}

const LIMITS: TraceRingLimits = { maxTraces: 1_000, maxSpans: 20_000, maxSpansPerTrace: 2_000 };

export class TraceRing {
  readonly #limits: TraceRingLimits;
  /** Oldest first: a trace has its place from its first span. */
  readonly #traces = new Map<string, Span[]>();
  #spans = 0;
  #refused = 0;

  constructor(limits: TraceRingLimits = LIMITS) {
    this.#limits = limits;
  }

  /** Traces and spans that it holds, and spans that it did not take because their trace was full. */
  get stats(): { readonly traces: number; readonly spans: number; readonly refused: number } {
    return { traces: this.#traces.size, spans: this.#spans, refused: this.#refused };
  }

  /** They may be of several traces. */
  add(spans: readonly Span[]): void {
    for (const span of spans) this.#add(span);
    while (this.#spans > this.#limits.maxSpans || this.#traces.size > this.#limits.maxTraces) this.#dropOldest();
  }

  /** Newest first. */
  recent(limit: number): readonly TraceSummary[] {
    return [...this.#traces.values()].slice(-Math.max(1, limit)).reverse().map(toSummary);
  }

  /** In the order of their beginning; none of a trace that is not held. */
  spans(traceId: string): readonly Span[] {
    return (this.#traces.get(traceId) ?? []).toSorted((a, b) => a.startMs - b.startMs);
  }

  #add(span: Span): void {
    const kept = this.#traces.get(span.traceId);
    if (kept === undefined) {
      this.#traces.set(span.traceId, [span]);
    } else if (kept.length < this.#limits.maxSpansPerTrace) {
      kept.push(span);
    } else {
      this.#refused += 1;
      return;
    }
    this.#spans += 1;
  }

  #dropOldest(): void {
    const [oldest] = this.#traces;
    if (oldest === undefined) return;
    this.#traces.delete(oldest[0]);
    this.#spans -= oldest[1].length;
  }
}

/** Items of one call share a trace, each with a root of its own: the first of them stands for all. */
function toSummary(spans: readonly Span[]): TraceSummary {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const root = spans.find(({ parentSpanId }) => !ids.has(parentSpanId)) ?? spans[0]!;
  const { traceId, name, startMs, durationMs, attributes } = root;
  const error = root.error || (spans.find((span) => span.error !== '' && !ids.has(span.parentSpanId))?.error ?? '');
  const services = [...new Set(spans.map(({ service }) => service))];
  return { traceId, name, startMs, durationMs, error, attributes, spans: spans.length, services };
}
