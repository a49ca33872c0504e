// Records the trace of one request. Most traces are discarded at the end of the request, so recording must be very
// cheap: plain fields, ids generated only when needed, no ambient context. It is passed explicitly in CallContext.span.
import type { RouterError } from './errors.ts';
import type { SpanKind } from './span.ts';
import { hex32, random32 } from './trace-parent.ts';

/** A bigint is a digest, 64 bits. */
export type OpenValue = string | number | boolean | bigint;
type OpenAttributes = Readonly<Record<string, OpenValue>>;

export interface OpenEvent {
  readonly name: string;
  /** By performance.now(). */
  readonly timeMs: number;
  readonly attributes: OpenAttributes;
}

/** Called at the end of a request, and for facts that are found later. */
export interface TraceKeeper {
  ended(trace: RequestTrace): void;
  late(trace: RequestTrace, event: OpenEvent): void;
}

// More than any request needs for retries, or for a vote of fifteen engines.
const MAX_SPANS = 128;
const MAX_EVENTS = 32;

const PARENT_BYTES = 25;
const SAMPLED = 1;
const NO_BYTES = Buffer.alloc(0);

interface RequestTraceOptions {
  /** "tandem.v1.ReasoningService/Reason". */
  readonly name: string;
  readonly traceId: string;
  /** From the caller; empty: none. */
  readonly parentSpanId: string;
  /** The caller's `tracestate`, unchanged. */
  readonly traceState: string;
  /** Decided at the start: the trace is always kept, and engines trace the request, too. */
  readonly isSampled: boolean;
  /** The caller shows a link to it. */
  readonly isOwn: boolean;
  /** Engines must report the time of every node. */
  readonly withLayers: boolean;
  /** By performance.now(). */
  readonly startMs: number;
}

export class RequestTrace {
  readonly about: RequestTraceOptions;
  /** On performance.now()'s clock; NaN until it ends. */
  endMs = NaN;
  /** All spans except the root, in order of their start. */
  readonly spans: OpenSpan[] = [];
  /** A trace with any entry here is kept. */
  readonly events: OpenEvent[] = [];
  /** Why the request has no answer. */
  failure: RouterError | undefined;
  /** For the trace store: the trace is already exported, so later facts go into a separate span. */
  isKept = false;
  readonly #keeper: TraceKeeper;
  #root: OpenSpan | undefined;
  #isOver = false;

  constructor(about: RequestTraceOptions, keeper: TraceKeeper) {
    this.about = about;
    this.#keeper = keeper;
  }

  /** Created at the first use: a request without spans has none. */
  get root(): OpenSpan {
    return (this.#root ??= new OpenSpan(this, undefined, this.about.name, 'SERVER', this.about.startMs));
  }

  get traceId(): string {
    return this.about.traceId;
  }

  /** A notable fact: a dispute, or a breaker that opened. */
  event(name: string, attributes: OpenAttributes): void {
    const event = { name, timeMs: performance.now(), attributes };
    if (this.#isOver) this.#keeper.late(this, event);
    else if (this.events.length < MAX_EVENTS) this.events.push(event);
  }

  /** Spans that start after the end of the request are not recorded. */
  add(span: OpenSpan): void {
    if (!this.#isOver && this.spans.length < MAX_SPANS) this.spans.push(span);
  }

  /** `failure`: why the request has no answer; undefined: it has one. */
  end(failure?: RouterError, endMs = performance.now()): void {
    if (this.#isOver) return;
    this.endMs = endMs;
    this.#root?.end('', this.endMs);
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
  /** By performance.now(), like `endMs`, which is NaN until the end. */
  readonly startMs: number;
  endMs = NaN;
  error = '';
  /** Name, value, name, value, … in the order they were set, each name once. */
  attributes: OpenValue[] = [];
  #idHigh = 0;
  #idLow = 0;

  constructor(trace: RequestTrace, parent: OpenSpan | undefined, name: string, kind: SpanKind, startMs: number) {
    this.trace = trace;
    this.parent = parent;
    this.name = name;
    this.kind = kind;
    this.startMs = startMs;
  }

  /** 16 hexadecimal digits: the upper and the lower half, 32 bits each. */
  get id(): string {
    return hex32(this.idHigh) + hex32(this.idLow);
  }

  get idHigh(): number {
    if (this.#idLow === 0) this.#makeId();
    return this.#idHigh;
  }

  get idLow(): number {
    if (this.#idLow === 0) this.#makeId();
    return this.#idLow;
  }

  child(name: string, kind: SpanKind = 'INTERNAL', startMs = performance.now()): OpenSpan {
    const span = new OpenSpan(this.trace, this, name, kind, startMs);
    this.trace.add(span);
    return span;
  }

  set(name: string, value: OpenValue): void {
    const at = this.#find(name);
    if (at >= 0) this.attributes[at + 1] = value;
    else this.attributes.push(name, value);
  }

  /** Name, value, name, value, … if none was set before: one array of the right size. */
  setAll(attributes: OpenValue[]): void {
    this.attributes = attributes;
  }

  /** The value; undefined: not set. */
  get(name: string): OpenValue | undefined {
    const at = this.#find(name);
    return at >= 0 ? this.attributes[at + 1] : undefined;
  }

  /** Only the first end counts. */
  end(error = '', endMs = performance.now()): void {
    if (!Number.isNaN(this.endMs)) return;
    this.endMs = endMs;
    this.error = error;
  }

  get asksForLayers(): boolean {
    const { isSampled, withLayers } = this.trace.about;
    return isSampled && withLayers;
  }

  /**
   * The trace context for engines, in the form of tandem.engine.v1.InferItem: 16 bytes trace id, 8 bytes span id, 1
   * byte flags. Empty if they must record nothing.
   */
  toParentBytes(): Buffer {
    const { traceId, isSampled } = this.trace.about;
    if (!isSampled) return NO_BYTES;
    const bytes = Buffer.allocUnsafe(PARENT_BYTES);
    bytes.write(traceId, 'hex');
    bytes.writeInt32BE(this.idHigh, 16);
    bytes.writeInt32BE(this.idLow, 20);
    bytes[24] = SAMPLED;
    return bytes;
  }

  /** There are few attributes, and names are literals. */
  #find(name: string): number {
    for (let at = 0; at < this.attributes.length; at += 2) if (this.attributes[at] === name) return at;
    return -1;
  }

  /** Generated only on demand: most spans are discarded. */
  #makeId(): void {
    this.#idHigh = random32();
    this.#idLow = random32() || 1; // never all zeros
  }
}
