import { describe, expect, it } from '@jest/globals';
import { EncodedSpans, type SpanSource } from '../core/encoded-spans.ts';
import { ExportTraceServiceRequest } from '../generated/opentelemetry/proto/collector/trace/v1/trace_service.ts';
import { Resource } from '../generated/opentelemetry/proto/resource/v1/resource.ts';
import { ScopeSpans } from '../generated/opentelemetry/proto/trace/v1/trace.ts';
import { toRequest } from './otlp-batch.ts';

function resource(service: string): Uint8Array {
  const value = { value: { $case: 'stringValue', value: service } } as const;
  return Resource.encode({ attributes: [{ key: 'service.name', value }], droppedAttributesCount: 0 }).finish();
}

const OWN: SpanSource = { service: 'tandem-router', instance: '' };
const ENGINE: SpanSource = { service: 'tandem-engine', instance: '' };

/** The spans are adjacent in memory. */
function encoded(source: SpanSource, ...names: readonly string[]): EncodedSpans[] {
  const parts = names.map((name) => ScopeSpans.encode(ScopeSpans.fromPartial({ spans: [{ name }] })).finish());
  const memory = Buffer.concat(parts);
  let at = 0;
  return parts.map(({ length }) => new EncodedSpans('', source, memory, at, (at += length), 1));
}

/** The service of each resource, and the names of its spans. */
function read(spans: readonly EncodedSpans[]): unknown[] {
  const { resourceSpans } = ExportTraceServiceRequest.decode(toRequest(spans, ({ service }) => resource(service)));
  return resourceSpans.map(({ resource: described, scopeSpans }) => [
    described?.attributes[0]?.value?.value?.value,
    scopeSpans.map(({ scope, spans: list }) => [scope?.name, ...list.map(({ name }) => name)]),
  ]);
}

describe('one request of spans', () => {
  it('has them under the resource of their source, in their order', () => {
    const [a, b, c] = encoded(OWN, 'a', 'b', 'c') as [EncodedSpans, EncodedSpans, EncodedSpans];
    const [x, y] = encoded(ENGINE, 'x', 'y') as [EncodedSpans, EncodedSpans];
    expect(read([a, x, b, c, y])).toEqual([
      ['tandem-router', [['tandem', 'a', 'b', 'c']]],
      ['tandem-engine', [['tandem', 'x', 'y']]],
    ]);
  });

  it('leaves out spans between them that are not sent', () => {
    const [a, , c] = encoded(OWN, 'a', 'b', 'c') as [EncodedSpans, EncodedSpans, EncodedSpans];
    expect(read([a, c])).toEqual([['tandem-router', [['tandem', 'a', 'c']]]]);
  });

  it('can have many and long spans', () => {
    const names = Array.from({ length: 2_000 }, (_, at) => 'n'.repeat(at));
    expect(read(encoded(OWN, ...names))).toEqual([['tandem-router', [['tandem', ...names]]]]);
  });

  it('is empty without spans', () => {
    expect(toRequest([], () => resource('none'))).toHaveLength(0);
  });
});
