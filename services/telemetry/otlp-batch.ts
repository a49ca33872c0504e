// Encodes one ExportTraceServiceRequest (opentelemetry/proto/collector/trace/v1/trace_service.proto) from spans that
// are already encoded. Only the messages around them are written; adjacent spans are copied in one piece.
import type { EncodedSpans, SpanSource } from '../core/encoded-spans.ts';
import { varintBytes } from './otlp-writer.ts';

const RESOURCE_SPANS = 0x0a;
const RESOURCE = 0x0a;
const SCOPE_SPANS = 0x12;
/** Field 1, InstrumentationScope {name: "tandem"}. */
const SCOPE = Buffer.from('\x0a\x08\x0a\x06tandem', 'latin1');

/** `resourceOf`: a message opentelemetry.proto.resource.v1.Resource. */
export function toRequest(spans: readonly EncodedSpans[], resourceOf: (source: SpanSource) => Uint8Array): Uint8Array {
  const bySource = new Map<SpanSource, EncodedSpans[]>();
  for (const span of spans) {
    const known = bySource.get(span.source);
    if (known === undefined) bySource.set(span.source, [span]);
    else known.push(span);
  }
  const parts = [...bySource].map(([source, list]) => toPart(resourceOf(source), list));
  const request = new Cursor(Buffer.allocUnsafeSlow(parts.reduce((sum, { bytes }) => sum + framed(bytes), 0)));
  for (const part of parts) write(part, request);
  return request.memory;
}

interface Part {
  readonly resource: Uint8Array;
  readonly spans: readonly EncodedSpans[];
  /** Fields of ScopeSpans and of ResourceSpans. */
  readonly scopeBytes: number;
  readonly bytes: number;
}

function toPart(resource: Uint8Array, spans: readonly EncodedSpans[]): Part {
  let scopeBytes = SCOPE.length;
  for (const { start, end } of spans) scopeBytes += end - start;
  return { resource, spans, scopeBytes, bytes: framed(resource.length) + framed(scopeBytes) };
}

function framed(bytes: number): number {
  return 1 + varintBytes(bytes) + bytes;
}

function write({ resource, spans, scopeBytes, bytes }: Part, to: Cursor): void {
  to.frame(RESOURCE_SPANS, bytes);
  to.frame(RESOURCE, resource.length);
  to.copy(resource, 0, resource.length);
  to.frame(SCOPE_SPANS, scopeBytes);
  to.copy(SCOPE, 0, SCOPE.length);
  for (let at = 0; at < spans.length;) {
    const { memory, start } = spans[at]!;
    let { end } = spans[at]!;
    for (at += 1; spans[at]?.memory === memory && spans[at]?.start === end; at += 1) ({ end } = spans[at]!);
    to.copy(memory, start, end);
  }
}

class Cursor {
  readonly memory: Buffer;
  #at = 0;

  constructor(memory: Buffer) {
    this.memory = memory;
  }

  frame(tag: number, bytes: number): void {
    this.memory[this.#at++] = tag;
    let rest = bytes;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.memory[this.#at++] = (rest & 127) | 128;
    this.memory[this.#at++] = rest;
  }

  copy(from: Uint8Array, start: number, end: number): void {
    this.memory.set(from.subarray(start, end), this.#at);
    this.#at += end - start;
  }
}
