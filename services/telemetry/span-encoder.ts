// Encodes the recorded spans of a request (core/request-trace.ts) as OTLP: opentelemetry/proto/trace/v1/trace.proto. It
// runs once, when the trace is kept; the recording is free for reuse then.
import { EncodedSpans, type SpanSource } from '../core/encoded-spans.ts';
import type { OpenEvent, OpenSpan, OpenValue } from '../core/request-trace.ts';
import type { SpanKind } from '../core/span.ts';
import type { EpochClock } from './epoch-clock.ts';
import { OtlpWriter, maxBytes } from './otlp-writer.ts';

/** Tags: the field number and its wire type. */
const SCOPE_SPAN = 0x12;
const SPAN = { traceId: 0x0a, spanId: 0x12, state: 0x1a, parent: 0x22, name: 0x2a, kind: 0x30, start: 0x39, end: 0x41 };
const SPAN_ATTRIBUTE = 0x4a;
const SPAN_EVENT = 0x5a;
const SPAN_STATUS = 0x7a;
const SPAN_FLAGS = [0x85, 0x01] as const;
const EVENT = { time: 0x09, name: 0x12, attribute: 0x1a };
const PAIR = { key: 0x0a, value: 0x12 };
const VALUE = { string: 0x0a, bool: 0x10, int: 0x18, double: 0x21 };
const STATUS = { message: 0x12, code: 0x18 };

const ERROR = 2;
const KINDS: Readonly<Record<SpanKind, number>> = { INTERNAL: 1, SERVER: 2, CLIENT: 3 };
/** Flags: sampled, and it is known whether the parent is in another process. */
const FLAGS = 0x101;
const PARENT_IS_REMOTE = 0x200;

const NO_EVENTS: readonly OpenEvent[] = [];

const TRACE_ID_BYTES = 16;
/** Bytes for the length of a span. */
const USUAL_LENGTH_BYTES = 2;
/**
 * More than the bytes of ids, times, tags and lengths of one span or event without strings, or of half an attribute.
 */
const FIXED_BYTES = 128;
const FIXED_BYTES_OF_ATTRIBUTE = 32;

export class SpanEncoder {
  readonly #source: SpanSource;
  readonly #clock: EpochClock;
  readonly #writer = new OtlpWriter();
  readonly #id = Buffer.alloc(TRACE_ID_BYTES);
  #idOf = '';

  constructor(source: SpanSource, clock: EpochClock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** `spans`: of one trace, at least one. `endMs`: the end of those that have none, by performance.now(). */
  encode(spans: readonly OpenSpan[], endMs: number): EncodedSpans {
    const { trace } = spans[0]!;
    const writer = this.#writer;
    let room = 0;
    for (const span of spans) room += roomFor(span, eventsOf(span));
    writer.reserve(room);
    const start = writer.position;
    for (const span of spans) this.#encode(span, Number.isNaN(span.endMs) ? endMs : span.endMs, eventsOf(span));
    return new EncodedSpans(trace.traceId, this.#source, writer.memory, start, writer.position, spans.length);
  }

  #encode(span: OpenSpan, endMs: number, events: readonly OpenEvent[]): void {
    const { about } = span.trace;
    const writer = this.#writer;
    const body = writer.begin(SCOPE_SPAN, USUAL_LENGTH_BYTES);
    this.#ids(span);
    if (about.traceState !== '') writer.string(SPAN.state, about.traceState);
    writer.string(SPAN.name, span.name);
    writer.byte(SPAN.kind);
    writer.byte(KINDS[span.kind]);
    this.#time(SPAN.start, span.startMs);
    this.#time(SPAN.end, endMs);
    const { attributes } = span;
    for (let at = 0; at < attributes.length; at += 2) {
      this.#attribute(SPAN_ATTRIBUTE, attributes[at] as string, attributes[at + 1]!);
    }
    for (const { name, timeMs, attributes: eventAttributes } of events) {
      const event = writer.begin(SPAN_EVENT);
      this.#time(EVENT.time, timeMs);
      writer.string(EVENT.name, name);
      for (const key in eventAttributes) this.#attribute(EVENT.attribute, key, eventAttributes[key]!);
      writer.end(event);
    }
    if (span.error !== '') this.#failure(span.error);
    for (const byte of SPAN_FLAGS) writer.byte(byte);
    writer.fixed32(span.parent === undefined && about.parentSpanId !== '' ? FLAGS | PARENT_IS_REMOTE : FLAGS);
    writer.end(body, USUAL_LENGTH_BYTES);
  }

  #ids({ trace: { about }, parent, idHigh, idLow }: OpenSpan): void {
    const writer = this.#writer;
    writer.byte(SPAN.traceId);
    writer.byte(TRACE_ID_BYTES);
    this.#traceId(about.traceId);
    writer.byte(SPAN.spanId);
    writer.byte(8);
    writer.int32(idHigh);
    writer.int32(idLow);
    if (parent === undefined && about.parentSpanId === '') return;
    writer.byte(SPAN.parent);
    writer.byte(8);
    if (parent === undefined) {
      writer.raw(Buffer.from(about.parentSpanId, 'hex'));
    } else {
      writer.int32(parent.idHigh);
      writer.int32(parent.idLow);
    }
  }

  /** Consecutive spans are usually of one trace. */
  #traceId(id: string): void {
    if (id !== this.#idOf) this.#id.write(id, 'hex');
    this.#idOf = id;
    this.#writer.raw(this.#id);
  }

  #time(tag: number, nowMs: number): void {
    this.#writer.byte(tag);
    this.#clock.toUnixNano(nowMs);
    this.#writer.fixed32(this.#clock.low);
    this.#writer.fixed32(this.#clock.high);
  }

  #failure(message: string): void {
    const status = this.#writer.begin(SPAN_STATUS);
    this.#writer.string(STATUS.message, message);
    this.#writer.byte(STATUS.code);
    this.#writer.byte(ERROR);
    this.#writer.end(status);
  }

  #attribute(tag: number, name: string, value: OpenValue): void {
    const pair = this.#writer.begin(tag);
    this.#writer.string(PAIR.key, name);
    const any = this.#writer.begin(PAIR.value);
    this.#value(value);
    this.#writer.end(any);
    this.#writer.end(pair);
  }

  #value(value: OpenValue): void {
    const writer = this.#writer;
    if (typeof value === 'string') {
      writer.string(VALUE.string, value);
    } else if (typeof value === 'bigint') {
      writer.byte(VALUE.string);
      writer.byte(16);
      writer.digits(value);
    } else if (typeof value === 'boolean') {
      writer.byte(VALUE.bool);
      writer.byte(value ? 1 : 0);
    } else if (Number.isSafeInteger(value) && value >= 0) {
      writer.byte(VALUE.int);
      writer.varint(value);
    } else {
      writer.byte(VALUE.double);
      writer.double(value);
    }
  }
}

/** The events of a trace are in its root. */
function eventsOf(span: OpenSpan): readonly OpenEvent[] {
  return span === span.trace.root ? span.trace.events : NO_EVENTS;
}

function roomFor({ name, error, attributes, trace }: OpenSpan, events: readonly OpenEvent[]): number {
  let bytes = FIXED_BYTES + maxBytes(name) + maxBytes(error) + maxBytes(trace.about.traceState);
  for (const each of attributes) bytes += roomForOne(each);
  for (const event of events) {
    bytes += FIXED_BYTES + maxBytes(event.name);
    for (const key in event.attributes) bytes += roomForOne(key) + roomForOne(event.attributes[key]!);
  }
  return bytes;
}

/** A name or a value. */
function roomForOne(value: OpenValue): number {
  return FIXED_BYTES_OF_ATTRIBUTE + (typeof value === 'string' ? maxBytes(value) : 0);
}
