// The traces that the router keeps itself, for users without a collector. Each kind has its own limits: a flood of
// ordinary requests, or of failures, does not evict traces that a page links to.
import type { EncodedSpans } from '../core/encoded-spans.ts';
import type { Attributes, Span } from '../core/span.ts';
import { type KeptTrace, TraceRing, type TraceRingLimits } from './trace-ring.ts';

/** In order of importance, the least important first. */
export const TRACE_KINDS = ['ORDINARY', 'FAILED', 'NOTABLE', 'OWN'] as const;

/**
 * NOTABLE: with an event such as a dispute. OWN: requested by the dashboard or the command line, which link to the
 * trace.
 */
export type TraceKind = (typeof TRACE_KINDS)[number];

interface TraceSummary {
  readonly traceId: string;
  readonly kind: TraceKind;
  /** Of the root span, like the following fields; of the first received span if there is no root (yet). */
  readonly name: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly error: string;
  readonly attributes: Attributes;
  readonly spans: number;
  /** The processes that recorded the spans, in the order of receipt. */
  readonly services: readonly string[];
}

interface TraceFilter {
  /** Maximum number of traces. */
  readonly limit: number;
  /** Continues an earlier list: its `next`. */
  readonly before?: number | undefined;
  /** Beginning of the trace id. */
  readonly id?: string | undefined;
  readonly kind?: TraceKind | undefined;
  readonly onlyErrors?: boolean | undefined;
  readonly minMs?: number | undefined;
  /** Part of the model's name. */
  readonly model?: string | undefined;
}

interface TraceList {
  /** Newest first. */
  readonly traces: readonly TraceSummary[];
  /** For `before`, if there may be more; undefined: there are no more. */
  readonly next: number | undefined;
}

/** Empty if they cannot be decoded. */
export type SpanDecoder = (spans: EncodedSpans) => readonly Span[];

export type TraceLimits = Readonly<Record<TraceKind, TraceRingLimits>>;

const MEBIBYTE = 1_048_576;
const SPECIAL = { maxTraces: 250, maxSpans: 5_000, maxSpansPerTrace: 2_000, maxBytes: 8 * MEBIBYTE };
const LIMITS: TraceLimits = {
  ORDINARY: { maxTraces: 1_000, maxSpans: 20_000, maxSpansPerTrace: 2_000, maxBytes: 40 * MEBIBYTE },
  ...{ FAILED: SPECIAL, NOTABLE: SPECIAL, OWN: SPECIAL },
};
/** A list reads no more traces than this: requests wait while it reads. */
const MAX_READ = 300;

export class TraceStore {
  readonly #decode: SpanDecoder;
  /** By rank: the index in TRACE_KINDS. */
  readonly #rings: readonly TraceRing[];
  #sequence = 0;

  constructor(decode: SpanDecoder, limits: TraceLimits = LIMITS) {
    this.#decode = decode;
    this.#rings = TRACE_KINDS.map((kind) => new TraceRing(limits[kind]));
  }

  /** The numbers of traces and spans, and of spans that were dropped because their trace was full. */
  get stats(): { readonly traces: number; readonly spans: number; readonly refused: number } {
    const sum = (read: (ring: TraceRing) => number): number =>
      this.#rings.reduce((total, ring) => total + read(ring), 0);
    return {
      traces: sum(({ size }) => size.traces),
      spans: sum(({ size }) => size.spans),
      refused: sum(({ refused }) => refused),
    };
  }

  /** `kind`: the kind of their trace; engines do not know it. */
  add(spans: EncodedSpans, kind: TraceKind = 'ORDINARY'): void {
    const ring = this.#ringFor(spans.traceId, kind);
    if (ring.get(spans.traceId) === undefined) this.#sequence += 1;
    ring.add(spans, this.#sequence);
  }

  has(traceId: string): boolean {
    return this.#find(traceId) !== undefined;
  }

  /** Newest first. */
  recent(limit: number): readonly TraceSummary[] {
    return this.list({ limit }).traces;
  }

  list(filter: TraceFilter): TraceList {
    const { limit, before = Infinity, id = '', kind: wantedKind } = filter;
    const candidates = TRACE_KINDS.flatMap((kind, rank) =>
      wantedKind === undefined || kind === wantedKind
        ? this.#rings[rank]!.all.map((trace) => ({ kind, ...trace }))
        : [],
    )
      .filter(({ sequence, traceId }) => sequence < before && traceId.startsWith(id))
      .sort((a, b) => b.sequence - a.sequence);
    const traces: TraceSummary[] = [];
    for (const [index, { kind, spans, sequence }] of candidates.entries()) {
      const summary = toSummary(this.#read(spans), kind);
      if (summary !== undefined && isWanted(summary, filter)) traces.push(summary);
      if (traces.length < limit && index + 1 < MAX_READ) continue;
      return { traces, next: index + 1 < candidates.length ? sequence : undefined };
    }
    return { traces, next: undefined };
  }

  /** In the order of their start; empty if the trace is not kept. */
  spans(traceId: string): readonly Span[] {
    return this.#read(this.#find(traceId)?.spans ?? []).sort((a, b) => a.startMs - b.startMs);
  }

  #find(traceId: string): KeptTrace | undefined {
    for (const ring of this.#rings) {
      const kept = ring.get(traceId);
      if (kept !== undefined) return kept;
    }
    return undefined;
  }

  /** A trace is in one ring only: the ring of the highest kind of its spans. */
  #ringFor(traceId: string, kind: TraceKind): TraceRing {
    const rank = TRACE_KINDS.indexOf(kind);
    const wanted = this.#rings[rank]!;
    for (let index = 0; index < this.#rings.length; index += 1) {
      const ring = this.#rings[index]!;
      if (index === rank || ring.get(traceId) === undefined) continue;
      if (index > rank) return ring;
      const { spans, sequence } = ring.take(traceId)!;
      for (const each of spans) wanted.add(each, sequence);
    }
    return wanted;
  }

  #read(spans: readonly EncodedSpans[]): Span[] {
    return spans.flatMap((each) => this.#decode(each));
  }
}

function isWanted(trace: TraceSummary, { onlyErrors = false, minMs = 0, model = '' }: TraceFilter): boolean {
  return !(onlyErrors && trace.error === '') && trace.durationMs >= minMs && modelOf(trace).includes(model);
}

function modelOf({ attributes }: TraceSummary): string {
  const name = Object.keys(attributes).find((each) => /(^|\.)model$/.test(each));
  return name === undefined ? '' : String(attributes[name]);
}

/** Items of one call share a trace, and each has its own root: the first root represents all. */
function toSummary(spans: readonly Span[], kind: TraceKind): TraceSummary | undefined {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const root = spans.find(({ parentSpanId }) => !ids.has(parentSpanId)) ?? spans[0];
  if (root === undefined) return undefined;
  const { traceId, name, startMs, durationMs, attributes } = root;
  const error = root.error || (spans.find((span) => span.error !== '' && !ids.has(span.parentSpanId))?.error ?? '');
  const services = [...new Set(spans.map(({ service }) => service))];
  return { traceId, kind, name, startMs, durationMs, error, attributes, spans: spans.length, services };
}
