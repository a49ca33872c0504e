import { beforeEach, describe, expect, it } from '@jest/globals';
import { RouterError } from '../core/errors.ts';
import type { RequestTrace } from '../core/request-trace.ts';
import type { Span } from '../core/span.ts';
import { decodeSpans } from '../../test/support/decode-spans.ts';
import { Tracing, type TracingOptions } from './tracing.ts';

const CALLER = { trace: '4bf92f3577b34da6a3ce929d0e0e4736', span: '00f067aa0ba902b7' };
const SAMPLED = `00-${CALLER.trace}-${CALLER.span}-01`;
const UNSAMPLED = `00-${CALLER.trace}-${CALLER.span}-00`;

let kept: (readonly Span[])[];

beforeEach(() => {
  kept = [];
});

function tracing(over: Partial<TracingOptions> = {}): Tracing {
  return new Tracing({
    enabled: true,
    sampler: { isParentBased: true, ratio: 0 },
    slowMs: 1_000,
    withLayers: false,
    source: { service: 'tandem-router', instance: 'here' },
    onKept: (spans) => kept.push(decodeSpans(spans)),
    ...over,
  });
}

function begin(parts: Tracing, parent = '', state = ''): RequestTrace {
  return parts.begin('Reason', performance.now(), parent, state);
}

const sampler = (isParentBased: boolean, ratio: number): TracingOptions['sampler'] => ({ isParentBased, ratio });

describe('the sample of ordinary requests', () => {
  it.each<[string, TracingOptions['sampler'], string, boolean]>([
    ['no caller, ratio 1', sampler(true, 1), '', true],
    ['no caller, ratio 0', sampler(true, 0), '', false],
    ['a caller that samples, respected', sampler(true, 0), SAMPLED, true],
    ['a caller that does not sample, respected', sampler(true, 1), UNSAMPLED, false],
    ['a caller that samples, ignored', sampler(false, 0), SAMPLED, false],
    ['a caller that does not sample, ignored', sampler(false, 1), UNSAMPLED, true],
    ['a caller with an invalid header', sampler(true, 0), 'nonsense', false],
  ])('%s: %j', (_what, chosen, parent, expected) => {
    const parts = tracing({ sampler: chosen });
    const trace = begin(parts, parent);
    trace.end();
    expect([trace.about.isSampled, kept.length === 1]).toEqual([expected, expected]);
    expect(parts.counts).toMatchObject({ sampled: expected ? 1 : 0, left: expected ? 0 : 1 });
  });
});

describe('requests of callers that link to the trace', () => {
  it('are kept outside of the sample, as kind OWN, also when they fail', () => {
    const kinds: string[] = [];
    const parts = tracing({ sampler: sampler(true, 0), onKept: (_spans, kind) => kinds.push(kind) });
    parts.begin('Reason', performance.now(), '', '', true).end();
    parts.begin('Reason', performance.now(), UNSAMPLED, '', true).end(new RouterError('NO_ENGINE', 'none'));
    parts.begin('Reason', performance.now(), '', '').end();
    parts.begin('Reason', performance.now(), '', '').end(new RouterError('NO_ENGINE', 'none'));
    expect(kinds).toEqual(['OWN', 'OWN', 'FAILED']);
  });

  it('have the same limit per second as other requests of callers', () => {
    const parts = tracing({ sampler: sampler(true, 0), callerSamplesPerS: 3 });
    for (let n = 0; n < 100; n += 1) parts.begin('Reason', performance.now(), '', '', true).end();
    expect(kept.length).toBeLessThan(10);
  });
});

describe('callers that set the sampled flag', () => {
  it('get a limited number of traces a second, even if they choose the trace id', () => {
    const parts = tracing({ sampler: sampler(true, 0.5), callerSamplesPerS: 3 });
    const inSample = `00-${'0'.repeat(31)}1-${CALLER.span}-01`;
    const sampled = (parent: string): number =>
      Array.from({ length: 100 }, () => begin(parts, parent)).filter(({ about }) => about.isSampled).length;
    expect(sampled(inSample)).toBeLessThan(50);
    expect(sampled(UNSAMPLED)).toBe(0);
    const all = tracing({ sampler: sampler(true, 1), callerSamplesPerS: 0 });
    expect(begin(all, SAMPLED).about.isSampled).toBe(true);
    expect(begin(tracing({ callerSamplesPerS: 0 }), SAMPLED).about.isSampled).toBe(false);
  });
});

describe('exemplars of latencies', () => {
  it('are requests that were answered, with a kept trace', () => {
    const examples: unknown[][] = [];
    const onExample: TracingOptions['onExample'] = (...example) => examples.push(example);
    const all = tracing({ sampler: sampler(true, 1), onExample });
    const trace = all.begin('ReasonBatch.item', performance.now() - 5, '', '');
    trace.end();
    begin(all).end(new RouterError('NO_ENGINE', 'no engine is left'));
    begin(tracing({ onExample })).end(); // not in the sample
    expect(examples).toEqual([['ReasonBatch.item', trace.endMs - trace.about.startMs, trace.traceId]]);
  });
});

describe('a request that is kept outside of the sample', () => {
  it('is one that failed, with the reason', () => {
    const parts = tracing();
    begin(parts).end(new RouterError('NO_ENGINE', 'no engine is left'));
    expect(parts.counts).toMatchObject({ failed: 1 });
    expect(kept[0]?.[0]).toMatchObject({
      error: 'NO_ENGINE: no engine is left',
      attributes: { 'error.type': 'NO_ENGINE', 'rpc.response.status_code': 'UNAVAILABLE' },
    });
  });

  it('is one with an event', () => {
    const parts = tracing();
    const trace = begin(parts);
    trace.event('dispute', { 'tandem.verdict': 'MAJORITY' });
    trace.end();
    expect(parts.counts).toMatchObject({ notable: 1 });
    expect(kept[0]?.[0]?.events).toMatchObject([{ name: 'dispute', attributes: { 'tandem.verdict': 'MAJORITY' } }]);
  });

  it('is a slow one, unless that is switched off', () => {
    const agoMs = performance.now() - 2_000;
    const parts = tracing();
    parts.begin('Reason', agoMs, '', '').end();
    tracing({ slowMs: 0 }).begin('Reason', agoMs, '', '').end();
    expect([kept.length, parts.counts.slow]).toEqual([1, 1]);
  });

  it('is one that gets an event after its end, with all its spans', () => {
    const trace = begin(tracing());
    trace.root.child('attempt').end();
    trace.end();
    expect(kept).toHaveLength(0);
    trace.event('dispute', {});
    expect(kept.map((spans) => spans.map(({ name }) => name))).toEqual([
      ['tandem.v1.ReasoningService/Reason', 'attempt'],
    ]);
  });

  it('is not written twice: a late event of a kept trace is a separate span', () => {
    const trace = begin(tracing(), SAMPLED);
    trace.end();
    trace.event('dispute', { 'tandem.verdict': 'AUDIT_DISPUTED' });
    expect(kept).toHaveLength(2);
    expect(kept[1]).toMatchObject([{ name: 'dispute', traceId: CALLER.trace, parentSpanId: kept[0]?.[0]?.spanId }]);
  });

  it('is one of a limited number: further failures are counted, not kept', () => {
    const parts = tracing();
    const startMs = performance.now();
    for (let n = 0; n < 10_000; n += 1) begin(parts).end(new RouterError('ROUTER_FULL', 'full'));
    const { failed, dropped } = parts.counts;
    expect(failed + dropped).toBe(10_000);
    const seconds = Math.ceil((performance.now() - startMs) / 1_000) + 1; // that it touched
    expect(kept.length).toBeLessThanOrEqual(1_000 * seconds);
  });
});

describe('a kept trace', () => {
  it('is a tree below the caller’s span, with the times of each step', () => {
    const parts = tracing();
    const startMs = performance.now();
    const trace = parts.begin('Reason', startMs, SAMPLED, 'vendor=1');
    const attempt = trace.root.child('attempt', 'CLIENT', startMs + 1);
    attempt.set('tandem.engine', 'local');
    attempt.set('tandem.engine_kind', 'local');
    attempt.set('tandem.digest', 255n);
    attempt.set('tandem.queue_us', 500);
    attempt.set('tandem.compute_us', 2_000);
    attempt.end('', startMs + 4);
    trace.end();
    const [root, attemptSpan, compute] = kept[0]!;
    expect(kept[0]!.map(({ traceState }) => traceState)).toEqual(['vendor=1', 'vendor=1', 'vendor=1']);
    expect(root).toMatchObject({ traceId: CALLER.trace, parentSpanId: CALLER.span, kind: 'SERVER', instance: 'here' });
    expect(root?.attributes).toMatchObject({ 'rpc.system.name': 'grpc', 'rpc.response.status_code': 'OK' });
    expect(attemptSpan).toMatchObject({ parentSpanId: root?.spanId, kind: 'CLIENT', name: 'attempt' });
    expect(attemptSpan?.durationMs).toBeCloseTo(3, 6);
    expect(attemptSpan?.attributes['tandem.digest']).toBe('00000000000000ff');
    expect(compute).toMatchObject({ parentSpanId: attemptSpan?.spanId, name: 'compute' });
    expect(compute!.startMs - attemptSpan!.startMs).toBeCloseTo(0.5, 2);
    expect(compute?.durationMs).toBeCloseTo(2, 6);
    expect(Math.abs(root!.startMs - Date.now())).toBeLessThan(1_000);
  });

  it('ends open spans with the request', () => {
    const parts = tracing();
    const trace = parts.begin('Reason', performance.now(), SAMPLED, '');
    const lost = trace.root.child('ballot');
    trace.end();
    lost.end('too late');
    const [root, ballot] = kept[0]!;
    expect(ballot!.startMs + ballot!.durationMs).toBeCloseTo(root!.startMs + root!.durationMs, 2);
    expect(ballot?.error).toBe('');
  });

  it('has a limited number of spans and events', () => {
    const trace = begin(tracing(), SAMPLED);
    for (let n = 0; n < 1_000; n += 1) {
      trace.root.child('attempt').end();
      trace.event('breaker opened', {});
    }
    trace.end();
    expect([kept[0]?.length, kept[0]?.[0]?.events.length]).toEqual([129, 32]);
  });

  it('is passed on to engines only if it is sampled', () => {
    const parts = tracing({ withLayers: true });
    const sampled = begin(parts, SAMPLED).root;
    expect(sampled.toParentBytes().toString('hex')).toBe(`${CALLER.trace}${sampled.id}01`);
    expect(sampled.asksForLayers).toBe(true);
    const { root } = begin(parts);
    expect([root.toParentBytes(), root.asksForLayers]).toEqual([Buffer.alloc(0), false]);
  });

  it('leaves out a tracestate that is too long', () => {
    const parts = tracing();
    begin(parts, SAMPLED, 'x'.repeat(513)).end();
    expect(kept[0]?.[0]?.traceState).toBe('');
  });
});

describe('disabled tracing', () => {
  it('still gives each request a trace id', () => {
    const parts = tracing({ enabled: false, sampler: sampler(true, 1) });
    const trace = begin(parts, SAMPLED);
    expect([trace.traceId, parts.spanOf(trace)]).toEqual([CALLER.trace, undefined]);
    trace.end(new RouterError('NO_ENGINE', 'none'));
    trace.event('dispute', {});
    expect(begin(parts).traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(kept).toEqual([]);
  });
});
