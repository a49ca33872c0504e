// The newest traces of one kind. The limits are on traces, bytes, all spans, and the spans of one trace: a caller may
// send the same `traceparent` for ever. Spans stay encoded until a page reads them.
import type { EncodedSpans } from '../core/encoded-spans.ts';

export interface TraceRingLimits {
  readonly maxTraces: number;
  readonly maxSpans: number;
  readonly maxSpansPerTrace: number;
  readonly maxBytes: number;
}

export interface KeptTrace {
  readonly traceId: string;
  /** A trace with a higher number was added later. */
  readonly sequence: number;
  readonly spans: readonly EncodedSpans[];
}

interface Entry extends KeptTrace {
  readonly spans: EncodedSpans[];
  /** Number of spans. */
  count: number;
}

export class TraceRing {
  /** Spans that were dropped because their trace was full. */
  refused = 0;
  readonly #limits: TraceRingLimits;
  readonly #traces = new Map<string, Entry>();
  /** The ids from `#oldest` on, oldest first: the first span of a trace decides its order. */
  #order: string[] = [];
  #oldest = 0;
  #spans = 0;
  #bytes = 0;

  constructor(limits: TraceRingLimits) {
    this.#limits = limits;
  }

  get size(): { readonly traces: number; readonly spans: number } {
    return { traces: this.#traces.size, spans: this.#spans };
  }

  get(traceId: string): KeptTrace | undefined {
    return this.#traces.get(traceId);
  }

  /** Oldest first. */
  get all(): readonly KeptTrace[] {
    return [...this.#traces.values()];
  }

  /** `sequence`: of the trace, if it is new here. */
  add(spans: EncodedSpans, sequence: number): void {
    const { maxSpansPerTrace, maxSpans, maxTraces, maxBytes } = this.#limits;
    const { traceId, count } = spans;
    const kept = this.#traces.get(traceId);
    if ((kept?.count ?? 0) + count > maxSpansPerTrace) {
      this.refused += count;
      return;
    }
    if (kept === undefined) {
      this.#traces.set(traceId, { traceId, sequence, spans: [spans], count });
      this.#order.push(traceId);
    } else {
      kept.spans.push(spans);
      kept.count += count;
    }
    this.#spans += count;
    this.#bytes += bytesOf(spans);
    while (this.#spans > maxSpans || this.#traces.size > maxTraces || this.#bytes > maxBytes) this.#dropOldest();
  }

  /** Removes and returns a trace; undefined if it is not here. */
  take(traceId: string): KeptTrace | undefined {
    const kept = this.#traces.get(traceId);
    if (kept === undefined) return undefined;
    this.#order.splice(this.#order.lastIndexOf(traceId), 1);
    this.#forget(kept);
    return kept;
  }

  /** The map is in this order, too, but finding its first entry means skipping all deleted ones. */
  #dropOldest(): void {
    const traceId = this.#order[this.#oldest]!;
    this.#oldest += 1;
    if (this.#oldest > this.#limits.maxTraces) {
      this.#order = this.#order.slice(this.#oldest);
      this.#oldest = 0;
    }
    this.#forget(this.#traces.get(traceId)!);
  }

  #forget({ traceId, spans, count }: Entry): void {
    this.#traces.delete(traceId);
    this.#spans -= count;
    for (const each of spans) this.#bytes -= bytesOf(each);
  }
}

function bytesOf({ start, end }: EncodedSpans): number {
  return end - start;
}
