import { describe, expect, it } from '@jest/globals';
import { EncodedSpan } from '../core/encoded-span.ts';
import type { Span } from '../core/span.ts';
import { TraceRing } from './trace-ring.ts';

const SOURCE = { service: 'tandem-router', instance: 'a' };
const SPAN_BYTES = 100;

let ids = 0;
const said = new WeakMap<EncodedSpan, Span>();
const decode = (span: EncodedSpan): Span | undefined => said.get(span);

function span(traceId: string, over: Partial<Span> = {}, bytes = SPAN_BYTES): EncodedSpan {
  ids += 1;
  const encoded = new EncodedSpan(traceId, SOURCE, new Uint8Array(0), 0, bytes);
  said.set(encoded, {
    ...{ traceId, spanId: String(ids), parentSpanId: '', traceState: '', name: 'Reason' },
    ...{ service: 'tandem-router', instance: 'a', kind: 'SERVER', startMs: ids, durationMs: 5, error: '' },
    ...{ attributes: {}, events: [] },
    ...over,
  });
  return encoded;
}

const limits = { maxTraces: 3, maxSpans: 8, maxSpansPerTrace: 4, maxBytes: 10_000 };

describe('the ring of traces', () => {
  it('tells of the newest first, and in a trace of what began first', () => {
    const ring = new TraceRing(decode);
    ring.add([span('a', { spanId: 'root', attributes: { 'tandem.model': 'm/1' } })]);
    ring.add([span('b')]);
    ring.add([span('a', { parentSpanId: 'root', name: 'infer', service: 'tandem-engine', startMs: 0 })]);
    expect(ring.recent(10).map(({ traceId }) => traceId)).toEqual(['b', 'a']);
    expect(ring.recent(1).map(({ traceId }) => traceId)).toEqual(['b']);
    expect(ring.recent(10)[1]).toEqual({
      ...{ traceId: 'a', name: 'Reason', startMs: expect.any(Number), durationMs: 5, error: '', spans: 2 },
      ...{ services: ['tandem-router', 'tandem-engine'], attributes: { 'tandem.model': 'm/1' } },
    });
    expect(ring.spans('a').map(({ name }) => name)).toEqual(['infer', 'Reason']);
    expect(ring.spans('unknown')).toEqual([]);
  });

  it('says that a trace failed, but not for the attempt that another one made good', () => {
    const ring = new TraceRing(decode);
    ring.add([span('a', { spanId: 'root' }), span('a', { parentSpanId: 'root', error: 'ENGINE_LOST' })]);
    ring.add([span('b', { error: 'NO_ENGINE: none left' })]);
    expect(ring.recent(2).map(({ error }) => error)).toEqual(['NO_ENGINE: none left', '']);
  });

  it('holds so many traces, the oldest goes first', () => {
    const ring = new TraceRing(decode, limits);
    for (const id of ['a', 'b', 'c', 'd']) ring.add([span(id)]);
    expect(ring.recent(10).map(({ traceId }) => traceId)).toEqual(['d', 'c', 'b']);
    expect(ring.stats).toEqual({ traces: 3, spans: 3, refused: 0 });
  });

  it('holds so many spans in all, and of one trace', () => {
    const ring = new TraceRing(decode, limits);
    for (let n = 0; n < 100; n += 1) ring.add([span('endless')]);
    expect(ring.stats).toEqual({ traces: 1, spans: 4, refused: 96 });
    ring.add([span('b'), span('b'), span('b'), span('b')]);
    ring.add([span('c')]);
    expect(ring.recent(10).map(({ traceId, spans }) => [traceId, spans])).toEqual([
      ['c', 1],
      ['b', 4],
    ]);
  });

  it('holds so many bytes, the oldest go first', () => {
    const ring = new TraceRing(decode, limits);
    ring.add([span('a'), span('b', {}, 9_000)]);
    ring.add([span('c', {}, 950)]);
    expect(ring.recent(10).map(({ traceId }) => traceId)).toEqual(['c', 'b']);
  });

  it('is the same after as many traces as come in a day', () => {
    const ring = new TraceRing(decode, limits);
    for (let n = 0; n < 1_000; n += 1) ring.add([span(`t${n}`), span(`t${n}`)]);
    expect(ring.recent(10).map(({ traceId, spans }) => [traceId, spans])).toEqual([
      ['t999', 2],
      ['t998', 2],
      ['t997', 2],
    ]);
    expect(ring.stats).toEqual({ traces: 3, spans: 6, refused: 0 });
  });

  it('leaves out what cannot be read', () => {
    const ring = new TraceRing(decode);
    const unreadable = new EncodedSpan('a', SOURCE, new Uint8Array(0), 0, 1);
    ring.add([unreadable, new EncodedSpan('b', SOURCE, new Uint8Array(0), 0, 1), span('a')]);
    expect([ring.spans('a').length, ring.spans('b')]).toEqual([1, []]);
    expect(ring.recent(10).map(({ traceId }) => traceId)).toEqual(['a']);
  });
});
