// What happens to one request, noted down while it happens. Most of it is thrown away when the request has ended and
// nothing about it was of interest, so that noting must cost next to nothing: plain fields, ids made only when asked for,
// no ambient context. It goes along the path in CallContext.span, explicitly.
import type { RouterError } from './errors.ts';
import type { SpanKind } from './span.ts';
import { hex32, random32 } from './trace-parent.ts';

/** A bigint is a digest, 64 bits. */
export type OpenValue = string | number | boolean | bigint;
type OpenAttributes = Readonly<Record<string, OpenValue>>;

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

const PARENT_BYTES = 25;
const SAMPLED = 1;
const NO_BYTES = Buffer.alloc(0);

interface RequestTraceOptions {
  /** "tandem.v1.ReasoningService/Reason". */
  readonly name: string;
  readonly traceId: string;
  /** Of the caller; empty: it gave none. */
  readonly parentSpanId: string;
  /** The caller's `tracestate`, as it came. */
  readonly traceState: string;
  /** Decided when it began: it is kept whatever happens, and engines are told to trace it, too. */
  readonly isSampled: boolean;
  /** The caller shows a link to it. */
  readonly isOwn: boolean;
  /** Engines are to tell the time of every node. */
  readonly withLayers: boolean;
  /** On performance.now()'s clock. */
  readonly startMs: number;
}

export class RequestTrace {
  readonly about: RequestTraceOptions;
  /** On performance.now()'s clock; NaN until it ends. */
  endMs = NaN;
  /** All but the root, in the order in which they began. */
  readonly spans: OpenSpan[] = [];
  /** Anything here is reason enough to keep the trace. */
  readonly events: OpenEvent[] = [];
  /** Why it has no answer. */
  failure: RouterError | undefined;
  /** The keeper's own: what turns out later is then told in a span of its own, for the rest is out of the house. */
  isKept = false;
  readonly #keeper: TraceKeeper;
  #root: OpenSpan | undefined;
  #isOver = false;

  constructor(about: RequestTraceOptions, keeper: TraceKeeper) {
    this.about = about;
    this.#keeper = keeper;
  }

  /** Made when it is first asked for: where nothing is noted, there is none. */
  get root(): OpenSpan {
    return (this.#root ??= new OpenSpan(this, undefined, this.about.name, 'SERVER', this.about.startMs));
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
    this.endMs = performance.now();
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
  /** On performance.now()'s clock, as `endMs`, which is NaN until it ends. */
  readonly startMs: number;
  endMs = NaN;
  error = '';
  /** Name, value, name, value, …: as they were set, each name once. */
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

  /** Name, value, name, value, …, where none was set before: one array of the right size. */
  setAll(attributes: OpenValue[]): void {
    this.attributes = attributes;
  }

  /** What was set; undefined: nothing. */
  get(name: string): OpenValue | undefined {
    const at = this.#find(name);
    return at >= 0 ? this.attributes[at + 1] : undefined;
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

  /**
   * What engines are told, as tandem.engine.v1.InferItem has it: 16 bytes trace id, 8 bytes span id, 1 byte flags. Empty
   * where they are to record nothing.
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

  /** They are few, and names are literals. */
  #find(name: string): number {
    for (let at = 0; at < this.attributes.length; at += 2) if (this.attributes[at] === name) return at;
    return -1;
  }

  /** Only where somebody asks: most spans are thrown away. */
  #makeId(): void {
    this.#idHigh = random32();
    this.#idLow = random32() || 1; // never all zeros
  }
}
