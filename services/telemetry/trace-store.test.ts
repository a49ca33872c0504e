import { describe, expect, it } from '@jest/globals';
import { EncodedSpans } from '../core/encoded-spans.ts';
import type { Span } from '../core/span.ts';
import { TRACE_KINDS, type TraceLimits, TraceStore } from './trace-store.ts';

const SOURCE = { service: 'tandem-router', instance: 'a' };
const SPAN_BYTES = 100;

let ids = 0;
const said = new WeakMap<EncodedSpans, Span>();
const decode = (spans: EncodedSpans): Span[] => [said.get(spans) ?? []].flat();

function span(traceId: string, over: Partial<Span> = {}, bytes = SPAN_BYTES): EncodedSpans {
  ids += 1;
  const encoded = new EncodedSpans(traceId, SOURCE, new Uint8Array(0), 0, bytes, 1);
  said.set(encoded, {
    ...{ traceId, spanId: String(ids), parentSpanId: '', traceState: '', name: 'Reason' },
    ...{ service: 'tandem-router', instance: 'a', kind: 'SERVER', startMs: ids, durationMs: 5, error: '' },
    ...{ attributes: {}, events: [] },
    ...over,
  });
  return encoded;
}

const each = { maxTraces: 3, maxSpans: 8, maxSpansPerTrace: 4, maxBytes: 10_000 };
const limits: TraceLimits = { ORDINARY: each, FAILED: each, NOTABLE: each, OWN: each };
const idsOf = (ring: TraceStore): string[] => ring.recent(100).map(({ traceId }) => traceId);

describe('kept traces', () => {
  it('lists the newest trace first, and in a trace the earliest span first', () => {
    const ring = new TraceStore(decode);
    ring.add(span('a', { spanId: 'root', attributes: { 'tandem.model': 'm/1' } }));
    ring.add(span('b'));
    ring.add(span('a', { parentSpanId: 'root', name: 'infer', service: 'tandem-engine', startMs: 0 }));
    expect(ring.recent(10).map(({ traceId }) => traceId)).toEqual(['b', 'a']);
    expect(ring.recent(1).map(({ traceId }) => traceId)).toEqual(['b']);
    expect(ring.recent(10)[1]).toEqual({
      ...{
        traceId: 'a',
        kind: 'ORDINARY',
        name: 'Reason',
        startMs: expect.any(Number),
        durationMs: 5,
        error: '',
        spans: 2,
      },
      ...{ services: ['tandem-router', 'tandem-engine'], attributes: { 'tandem.model': 'm/1' } },
    });
    expect(ring.spans('a').map(({ name }) => name)).toEqual(['infer', 'Reason']);
    expect(ring.spans('unknown')).toEqual([]);
  });

  it('marks a trace as failed, but not for a failed attempt that was retried with success', () => {
    const ring = new TraceStore(decode);
    ring.add(span('a', { spanId: 'root' }));
    ring.add(span('a', { parentSpanId: 'root', error: 'ENGINE_LOST' }));
    ring.add(span('b', { error: 'NO_ENGINE: none left' }));
    expect(ring.recent(2).map(({ error }) => error)).toEqual(['NO_ENGINE: none left', '']);
  });

  it('holds a limited number of traces, and evicts the oldest', () => {
    const ring = new TraceStore(decode, limits);
    for (const id of ['a', 'b', 'c', 'd']) ring.add(span(id));
    expect(ring.recent(10).map(({ traceId }) => traceId)).toEqual(['d', 'c', 'b']);
    expect(ring.stats).toEqual({ traces: 3, spans: 3, refused: 0 });
  });

  it('limits the spans of all traces, and of each trace', () => {
    const ring = new TraceStore(decode, limits);
    for (let n = 0; n < 100; n += 1) ring.add(span('endless'));
    expect(ring.stats).toEqual({ traces: 1, spans: 4, refused: 96 });
    for (let n = 0; n < 4; n += 1) ring.add(span('b'));
    ring.add(span('c'));
    expect(ring.recent(10).map(({ traceId, spans }) => [traceId, spans])).toEqual([
      ['c', 1],
      ['b', 4],
    ]);
  });

  it('holds a limited number of bytes, and evicts the oldest', () => {
    const ring = new TraceStore(decode, limits);
    ring.add(span('a'));
    ring.add(span('b', {}, 9_000));
    ring.add(span('c', {}, 950));
    expect(ring.recent(10).map(({ traceId }) => traceId)).toEqual(['c', 'b']);
  });

  it('takes a list of spans as a whole or not at all', () => {
    const ring = new TraceStore(decode, limits);
    const list = (count: number): EncodedSpans => new EncodedSpans('a', SOURCE, new Uint8Array(0), 0, 100, count);
    for (const count of [5, 3, 2, 1]) ring.add(list(count));
    expect(ring.stats).toEqual({ traces: 1, spans: 4, refused: 7 });
  });

  it('stays correct after 1,000 evictions', () => {
    const ring = new TraceStore(decode, limits);
    for (let n = 0; n < 2_000; n += 1) ring.add(span(`t${n >> 1}`));
    expect(ring.recent(10).map(({ traceId, spans }) => [traceId, spans])).toEqual([
      ['t999', 2],
      ['t998', 2],
      ['t997', 2],
    ]);
    expect(ring.stats).toEqual({ traces: 3, spans: 6, refused: 0 });
  });

  it('leaves out spans that cannot be decoded', () => {
    const ring = new TraceStore(decode);
    const unreadable = new EncodedSpans('a', SOURCE, new Uint8Array(0), 0, 1, 1);
    ring.add(unreadable);
    ring.add(new EncodedSpans('b', SOURCE, new Uint8Array(0), 0, 1, 1));
    ring.add(span('a'));
    expect([ring.spans('a').length, ring.spans('b')]).toEqual([1, []]);
    expect(ring.recent(10).map(({ traceId }) => traceId)).toEqual(['a']);
  });
});

describe('traces with a link', () => {
  it.each(['FAILED', 'NOTABLE', 'OWN'] as const)('outlive a flood of ordinary ones: %s', (kind) => {
    const store = new TraceStore(decode, limits);
    store.add(span('linked'), kind);
    for (let n = 0; n < 1_000; n += 1) store.add(span(`t${n}`));
    expect(store.has('linked')).toBe(true);
    expect(store.recent(10).at(-1)).toMatchObject({ traceId: 'linked', kind });
  });

  it('outlive a flood of failures if they are notable or linked by callers', () => {
    const store = new TraceStore(decode, limits);
    store.add(span('dispute'), 'NOTABLE');
    store.add(span('mine'), 'OWN');
    for (let n = 0; n < 1_000; n += 1) store.add(span(`f${n}`), 'FAILED');
    expect([store.has('dispute'), store.has('mine'), store.has('f999'), store.has('f0')]).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it('are one trace if an engine or the router sent the first span', () => {
    const store = new TraceStore(decode, limits);
    store.add(span('a', { service: 'tandem-engine', parentSpanId: 'root' }));
    store.add(span('a', { spanId: 'root' }), 'OWN');
    store.add(span('a', { service: 'tandem-engine', parentSpanId: 'root' }));
    expect(store.recent(10)).toMatchObject([{ traceId: 'a', kind: 'OWN', spans: 3 }]);
    for (const id of ['b', 'c', 'd', 'e']) store.add(span(id));
    expect(store.spans('a')).toHaveLength(3);
  });

  it('get the highest kind of any of their spans', () => {
    const store = new TraceStore(decode, limits);
    store.add(span('a'), 'FAILED');
    store.add(span('a'), 'NOTABLE');
    store.add(span('a'), 'FAILED');
    expect(store.recent(10).map(({ kind }) => kind)).toEqual(['NOTABLE']);
    expect(store.stats).toEqual({ traces: 1, spans: 3, refused: 0 });
  });

  it('stay within the limits of their kind in every order of spans', () => {
    const store = new TraceStore(decode, limits);
    for (let n = 0; n < 2_000; n += 1) {
      store.add(span(`t${n % 50}`));
      store.add(span(`t${(n * 7) % 50}`), TRACE_KINDS[n % TRACE_KINDS.length]);
    }
    const { traces, spans } = store.stats;
    expect(traces).toBeLessThanOrEqual(12);
    expect(spans).toBeLessThanOrEqual(32);
    expect(new Set(idsOf(store)).size).toBe(idsOf(store).length);
  });
});

describe('the list of traces', () => {
  it('continues where the page before it ended', () => {
    const store = new TraceStore(decode);
    for (const id of ['a', 'b', 'c', 'd', 'e']) store.add(span(id));
    const first = store.list({ limit: 2 });
    const second = store.list({ limit: 2, before: first.next });
    store.add(span('f'));
    const third = store.list({ limit: 2, before: second.next });
    expect([first, second, third].map(({ traces }) => traces.map(({ traceId }) => traceId))).toEqual([
      ['e', 'd'],
      ['c', 'b'],
      ['a'],
    ]);
    expect(third.next).toBeUndefined();
  });

  it('filters by the beginning of the id, by kind, by failure, by duration and by model', () => {
    const store = new TraceStore(decode);
    store.add(span('abc1', { durationMs: 50 }));
    store.add(span('abd2', { error: 'NO_ENGINE' }), 'FAILED');
    store.add(span('xyz3', { attributes: { 'tandem.model': 'gestures' } }), 'OWN');
    const ids_ = (filter: object): string[] =>
      store.list({ limit: 10, ...filter }).traces.map(({ traceId }) => traceId);
    expect(ids_({ id: 'ab' })).toEqual(['abd2', 'abc1']);
    expect(ids_({ id: 'abc1' })).toEqual(['abc1']);
    expect(ids_({ kind: 'OWN' })).toEqual(['xyz3']);
    expect(ids_({ onlyErrors: true })).toEqual(['abd2']);
    expect(ids_({ minMs: 20 })).toEqual(['abc1']);
    expect(ids_({ model: 'gest' })).toEqual(['xyz3']);
  });

  it('reads a limited number of traces and returns whether there are more', () => {
    const store = new TraceStore(decode);
    for (let n = 0; n < 900; n += 1) store.add(span(`t${n}`, { durationMs: n === 0 ? 99 : 1 }));
    let before: number | undefined;
    const sizes: number[] = [];
    do {
      const { traces, next } = store.list({ limit: 10, minMs: 50, before });
      sizes.push(traces.length);
      before = next;
    } while (before !== undefined);
    expect(sizes).toEqual([0, 0, 1]);
  });
});
