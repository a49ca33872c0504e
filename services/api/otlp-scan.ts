// Finds the spans in an ExportTraceServiceRequest without decoding them. There are hundreds of thousands a minute, most
// are never read here, and decoding them cost more than answering their requests.
// opentelemetry/proto/collector/trace/v1/trace_service.proto
import { EncodedSpans, type SpanSource } from '../core/encoded-spans.ts';

const RESOURCE_SPANS = 0x0a;
const RESOURCE = 0x0a;
const SCOPE_SPANS = 0x12;
const SPAN = 0x12;
const TRACE_ID = 0x0a;
const SPAN_ID = 0x12;
const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
/** A resource is kept as long as its spans; ours have a few hundred bytes. */
const MAX_RESOURCE_BYTES = 16_384;
const NO_BYTES = new Uint8Array(0);

/**
 * Returns lists of adjacent spans of one trace. Skips spans with invalid ids. A span's bytes stay in `message` unless most of
 * that is other data. Throws if any part, down to a span's fields, is malformed. `sourceOf` converts a resource to a source.
 */
export function scanSpans(message: Buffer, sourceOf: (resource: Uint8Array) => SpanSource): EncodedSpans[] {
  const lists = new Lists(message);
  const all = new Fields(message, 0, message.length);
  while (all.next()) {
    if (all.tag !== RESOURCE_SPANS) continue;
    const source = sourceOf(resourceOf(all.within()));
    const scopes = all.within();
    while (scopes.next()) {
      if (scopes.tag !== SCOPE_SPANS) continue;
      const spans = scopes.within();
      while (spans.next()) {
        if (spans.tag !== SPAN) continue;
        const idAt = traceIdAt(spans.within());
        if (idAt >= 0) lists.add(source, idAt, spans.tagAt, spans.end);
      }
    }
  }
  return compact(lists.finish(), message.length);
}

/** Adjacent spans of one trace become one list. */
class Lists {
  readonly #message: Buffer;
  readonly #done: EncodedSpans[] = [];
  #source: SpanSource | undefined;
  #idAt = 0;
  #start = 0;
  #end = 0;
  #count = 0;

  constructor(message: Buffer) {
    this.#message = message;
  }

  /** `idAt`: where its trace id is. */
  add(source: SpanSource, idAt: number, start: number, end: number): void {
    if (start === this.#end && source === this.#source && this.#isSame(idAt)) {
      this.#end = end;
      this.#count += 1;
      return;
    }
    this.#close();
    this.#source = source;
    this.#idAt = idAt;
    this.#start = start;
    this.#end = end;
    this.#count = 1;
  }

  finish(): EncodedSpans[] {
    this.#close();
    return this.#done;
  }

  #isSame(idAt: number): boolean {
    for (let at = 0; at < TRACE_ID_BYTES; at += 1) {
      if (this.#message[idAt + at] !== this.#message[this.#idAt + at]) return false;
    }
    return true;
  }

  #close(): void {
    if (this.#source === undefined) return;
    const traceId = this.#message.toString('hex', this.#idAt, this.#idAt + TRACE_ID_BYTES);
    this.#done.push(new EncodedSpans(traceId, this.#source, this.#message, this.#start, this.#end, this.#count));
  }
}

/** A kept span keeps its whole message in memory. */
function compact(lists: EncodedSpans[], length: number): EncodedSpans[] {
  const total = lists.reduce((sum, { start, end }) => sum + end - start, 0);
  if (2 * total >= length) return lists;
  const memory = Buffer.concat(
    lists.map(({ bytes }) => bytes),
    total,
  );
  let at = 0;
  return lists.map(({ traceId, source, start, end, count }) => {
    const from = at;
    at += end - start;
    return new EncodedSpans(traceId, source, memory, from, at, count);
  });
}

/** The resource may come after the spans. */
function resourceOf(fields: Fields): Uint8Array {
  let resource: Uint8Array = NO_BYTES;
  while (fields.next()) if (fields.tag === RESOURCE) resource = fields.memory.subarray(fields.start, fields.end);
  if (resource.length > MAX_RESOURCE_BYTES) throw new Error(`a resource takes at most ${MAX_RESOURCE_BYTES} bytes`);
  return resource;
}

/** Where its trace id is; below 0 if it has none, or no id of its own. */
function traceIdAt(span: Fields): number {
  let at = -1;
  let hasSpanId = false;
  while (span.next()) {
    const { tag, start } = span;
    if (tag === TRACE_ID) at = isId(span, TRACE_ID_BYTES) ? start : -1;
    else if (tag === SPAN_ID) hasSpanId = isId(span, SPAN_ID_BYTES);
  }
  return hasSpanId ? at : -1;
}

function isId({ memory, start, end }: Fields, bytes: number): boolean {
  if (end - start !== bytes) return false;
  for (let at = start; at < end; at += 1) if (memory[at] !== 0) return true;
  return false;
}

const MAX_SHIFT = 63;

/** Iterates over the fields of one message. `next` throws if its framing is malformed. */
export class Fields {
  readonly memory: Uint8Array;
  /** The current field: its tag, the tag's offset, and the start and end of its value without the length. */
  tag = 0;
  tagAt = 0;
  start = 0;
  end: number;
  readonly #limit: number;

  constructor(memory: Uint8Array, start: number, limit: number) {
    this.memory = memory;
    this.end = start;
    this.#limit = limit;
  }

  /** The current field as a message. */
  within(): Fields {
    return new Fields(this.memory, this.start, this.end);
  }

  /** False: there are no more fields. */
  next(): boolean {
    if (this.end === this.#limit) return false;
    this.tagAt = this.end;
    this.tag = this.#varint();
    if (this.tag >>> 3 === 0) throw new Error('no field has the number 0');
    this.start = this.end;
    this.end = this.#endOfValue();
    if (this.end > this.#limit) throw new Error('a field ends after its message');
    return true;
  }

  #endOfValue(): number {
    switch (this.tag & 7) {
      case 0:
        this.#varint();
        return this.end;
      case 1:
        return this.end + 8;
      case 2: {
        const length = this.#varint();
        this.start = this.end;
        return this.end + length;
      }
      case 5:
        return this.end + 4;
      default:
        throw new Error(`no field of OTLP has the wire type ${this.tag & 7}`);
    }
  }

  /** Reads at `end` and moves it. */
  #varint(): number {
    let value = 0;
    for (let shift = 0; shift <= MAX_SHIFT; shift += 7) {
      if (this.end >= this.#limit) break;
      const byte = this.memory[this.end++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw new Error('a number does not end');
  }
}
