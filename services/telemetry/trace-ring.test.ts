import { describe, expect, it } from '@jest/globals';
import type { Span } from '../core/span.ts';
import { TraceRing } from './trace-ring.ts';

let ids = 0;

function span(traceId: string, over: Partial<Span> = {}): Span {
  ids += 1;
  return {
    ...{ traceId, spanId: String(ids), parentSpanId: '', name: 'Reason', service: 'tandem-router', instance: 'a' },
    ...{ kind: 'SERVER', startMs: ids, durationMs: 5, error: '', attributes: {}, events: [] },
    ...over,
  };
}

const limits = { maxTraces: 3, maxSpans: 8, maxSpansPerTrace: 4 };

describe('the ring of traces', () => {
  it('tells of the newest first, and in a trace of what began first', () => {
    const ring = new TraceRing();
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
    const ring = new TraceRing();
    ring.add([span('a', { spanId: 'root' }), span('a', { parentSpanId: 'root', error: 'ENGINE_LOST' })]);
    ring.add([span('b', { error: 'NO_ENGINE: none left' })]);
    expect(ring.recent(2).map(({ error }) => error)).toEqual(['NO_ENGINE: none left', '']);
  });

  it('holds so many traces, the oldest goes first', () => {
    const ring = new TraceRing(limits);
    for (const id of ['a', 'b', 'c', 'd']) ring.add([span(id)]);
    expect(ring.recent(10).map(({ traceId }) => traceId)).toEqual(['d', 'c', 'b']);
    expect(ring.stats).toEqual({ traces: 3, spans: 3, refused: 0 });
  });

  it('holds so many spans in all, and of one trace', () => {
    const ring = new TraceRing(limits);
    for (let n = 0; n < 100; n += 1) ring.add([span('endless')]);
    expect(ring.stats).toEqual({ traces: 1, spans: 4, refused: 96 });
    ring.add([span('b'), span('b'), span('b'), span('b')]);
    ring.add([span('c')]);
    expect(ring.recent(10).map(({ traceId, spans }) => [traceId, spans])).toEqual([
      ['c', 1],
      ['b', 4],
    ]);
  });
});
