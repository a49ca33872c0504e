import { describe, expect, it } from '@jest/globals';
import { isInSample, newSpanId, newTraceId, parseTraceParent } from './trace-parent.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('parseTraceParent', () => {
  it('returns the trace, the caller’s span and its sampling flag', () => {
    expect(parseTraceParent(`00-${TRACE}-${SPAN}-01`)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled: true });
    expect(parseTraceParent(`00-${TRACE}-${SPAN}-00`)?.isSampled).toBe(false);
    expect(parseTraceParent(`00-${TRACE}-${SPAN}-fe`)?.isSampled).toBe(false); // only unknown flags
  });

  it('reads the known part of a future version', () => {
    expect(parseTraceParent(`cc-${TRACE}-${SPAN}-01-what-is-this`)).toMatchObject({ traceId: TRACE, isSampled: true });
    expect(parseTraceParent(`cc-${TRACE}-${SPAN}-01`)).toMatchObject({ traceId: TRACE });
  });

  it.each([
    ['nothing', ''],
    ['a word', 'hello'],
    ['no trace', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['no span', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['the invalid version ff', `ff-${TRACE}-${SPAN}-01`],
    ['more fields than version 00', `00-${TRACE}-${SPAN}-01-more`],
    ['a tail without a dash', `cc-${TRACE}-${SPAN}-01more`],
    ['short ids', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['long ids', `00-${TRACE}0-${SPAN}-01`],
    ['other dashes', `00_${TRACE}_${SPAN}_01`],
    ['a trailing line break', `00-${TRACE}-${SPAN}-01\n`],
    ['a megabyte', `cc-${TRACE}-${SPAN}-01-${'a'.repeat(1_000_000)}`],
    ['digits of other scripts', `00-${'٣'.repeat(32)}-${SPAN}-01`],
  ])('returns undefined for %s', (_what, text) => {
    expect(parseTraceParent(text)).toBeUndefined();
  });
});

describe('newTraceId and newSpanId', () => {
  it('return hexadecimal ids, each different', () => {
    const traces = Array.from({ length: 1_000 }, newTraceId);
    const spans = Array.from({ length: 1_000 }, newSpanId);
    expect([new Set(traces).size, new Set(spans).size]).toEqual([1_000, 1_000]);
    for (const id of traces) expect(id).toMatch(/^[0-9a-f]{32}$/);
    for (const id of spans) expect(id).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
  });
});

describe('isInSample', () => {
  it.each([0.01, 0.25, 0.9])('selects about %d of the traces', (ratio) => {
    const traces = Array.from({ length: 20_000 }, newTraceId);
    const share = traces.filter((id) => isInSample(id, ratio)).length / traces.length;
    expect(Math.abs(share - ratio)).toBeLessThan(5 * Math.sqrt((ratio * (1 - ratio)) / traces.length));
  });

  it('selects none at 0 and all at 1', () => {
    const ids = [TRACE, 'f'.repeat(32), `${'0'.repeat(31)}1`];
    expect(ids.map((id) => [isInSample(id, 0), isInSample(id, 1)])).toEqual(ids.map(() => [false, true]));
  });

  it('gives the same result for a trace in every process', () => {
    // OpenTelemetry's TraceIdRatioBasedSampler: the xor of the four words, below ratio × (2³² - 1).
    const id = '80000000000000000000000000000001';
    expect([isInSample(id, 0.5), isInSample(id, 0.51)]).toEqual([false, true]);
  });
});
