// What happens to one request, noted down while it happens. Most of it is thrown away when the request has ended and
// nothing about it was of interest, so that noting must cost next to nothing: plain fields, ids made only when asked for,
// no ambient context. It goes along the path in CallContext.span, explicitly.
import type { RouterError } from './errors.ts';
import type { SpanKind } from './span.ts';
import { type TraceParent, newSpanId } from './trace-parent.ts';

/** A bigint is a digest, 64 bits. */
export type OpenAttributes = Record<string, string | number | boolean | bigint>;

export interface OpenEvent {
  readonly name: string;
  /** On performance.now()'s clock. */
  readonly timeMs: number;
  readonly attributes: OpenAttributes;
}

/** Hears of a request's end, and of what turned out about it only then. */
export interface TraceKeeper {
  ended(trace: RequestTrace): void;
  late(trace: RequestTrace, event: OpenEvent): void;
}

// More than any request has that asks engines in turn, or fifteen for their vote.
const MAX_SPANS = 128;
const MAX_EVENTS = 32;

export interface RequestTraceOptions {
  /** "tandem.v1.ReasoningService/Reason". */
  readonly name: string;
  readonly traceId: string;
  /** Of the caller; empty: it gave none. */
  readonly parentSpanId: string;
  /** The caller's `tracestate`, as it came. */
  readonly traceState: string;
  /** Decided when it began: it is kept whatever happens, and engines are told to trace it, too. */
  readonly isSampled: boolean;
  /** Engines are to tell the time of every node. */
  readonly withLayers: boolean;
  /** On performance.now()'s clock. */
  readonly startMs: number;
}

export class RequestTrace {
  readonly about: RequestTraceOptions;
  readonly root: OpenSpan;
  /** All but the root, in the order in which they began. */
  readonly spans: OpenSpan[] = [];
  /** Anything here is reason enough to keep the trace. */
  readonly events: OpenEvent[] = [];
  /** Why it has no answer. */
  failure: RouterError | undefined;
  readonly #keeper: TraceKeeper;
  #isOver = false;

  constructor(about: RequestTraceOptions, keeper: TraceKeeper) {
    this.about = about;
    this.#keeper = keeper;
    this.root = new OpenSpan(this, undefined, about.name, 'SERVER', about.startMs);
  }

  get traceId(): string {
    return this.about.traceId;
  }

  /** Something that people will ask about: a dispute, a breaker that opened. */
  event(name: string, attributes: OpenAttributes): void {
    const event = { name, timeMs: performance.now(), attributes };
    if (this.#isOver) this.#keeper.late(this, event);
    else if (this.events.length < MAX_EVENTS) this.events.push(event);
  }

  /** What begins after the request has ended is not noted. */
  add(span: OpenSpan): void {
    if (!this.#isOver && this.spans.length < MAX_SPANS) this.spans.push(span);
  }

  /** `failure`: why it has no answer; undefined: it has one. */
  end(failure?: RouterError): void {
    if (this.#isOver) return;
    this.root.end();
    this.failure = failure;
    this.#isOver = true;
    this.#keeper.ended(this);
  }
}

export class OpenSpan {
  readonly trace: RequestTrace;
  readonly parent: OpenSpan | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  /** On performance.now()'s clock, as `endMs`, which is NaN until it ends. */
  readonly startMs: number;
  endMs = NaN;
  error = '';
  attributes: OpenAttributes = {};
  #id = '';

  constructor(trace: RequestTrace, parent: OpenSpan | undefined, name: string, kind: SpanKind, startMs: number) {
    this.trace = trace;
    this.parent = parent;
    this.name = name;
    this.kind = kind;
    this.startMs = startMs;
  }

  get id(): string {
    return (this.#id ||= newSpanId());
  }

  child(name: string, kind: SpanKind = 'INTERNAL', startMs = performance.now()): OpenSpan {
    const span = new OpenSpan(this.trace, this, name, kind, startMs);
    this.trace.add(span);
    return span;
  }

  set(name: string, value: OpenAttributes[string]): void {
    this.attributes[name] = value;
  }

  /** The first end counts. */
  end(error = '', endMs = performance.now()): void {
    if (!Number.isNaN(this.endMs)) return;
    this.endMs = endMs;
    this.error = error;
  }

  get asksForLayers(): boolean {
    const { isSampled, withLayers } = this.trace.about;
    return isSampled && withLayers;
  }

  /** What engines are told; undefined where they are to record nothing. */
  get asParent(): TraceParent | undefined {
    const { traceId, isSampled } = this.trace.about;
    return isSampled ? { traceId, spanId: this.id, isSampled } : undefined;
  }
}
