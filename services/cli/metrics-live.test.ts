import { describe, expect, it } from '@jest/globals';
import { stripVTControlCharacters } from 'node:util';
import { type DeepPartial, Metrics } from '../generated/tandem/v1/metrics.ts';
import { History, liveLine, liveView } from './metrics-live.ts';

/** The metrics so many seconds after the counting began. */
function at(seconds: number, requests: number, rest: DeepPartial<Metrics> = {}): Metrics {
  return Metrics.fromPartial({
    sinceMs: 0,
    timeMs: seconds * 1_000,
    uptimeS: seconds,
    requests,
    requestTypes: [{ type: 'Reason', count: requests, latency: { count: requests, p50Ms: 0.5, p95Ms: 1, p99Ms: 2 } }],
    strategies: [
      { strategy: 1, requests, share: 1 },
      { strategy: 2, requests: 0, share: 0 },
    ],
    engines: [
      { engineId: 'local', kind: 1, state: 1, breaker: 1, succeeded: requests, share: 1 },
      { engineId: 'engine-1', kind: 2, state: 2, breaker: 2 },
    ],
    ...rest,
  });
}

function historyOf(...messages: Metrics[]): History {
  const history = new History();
  for (const message of messages) history.add(message);
  return history;
}

const view = (history: History, columns: number, rows = 60): string[] =>
  liveView(history, '127.0.0.1:50051', { columns, rows }).map((line) => stripVTControlCharacters(line));

describe('History', () => {
  it('computes the rate between two messages from their times', () => {
    expect(historyOf(at(10, 100), at(12, 400)).perS(({ requests }) => requests)).toBe(150);
  });

  it('counts from a reset if there was one', () => {
    const reset = at(13, 50, { sinceMs: 12_500 });
    expect(historyOf(at(12, 1_000), reset).perS(({ requests }) => requests)).toBe(100);
  });

  it('returns 0 instead of a negative rate', () => {
    expect(historyOf(at(1, 100), at(2, 40)).perS(({ requests }) => requests)).toBe(0);
  });

  it('keeps the newest 40 rates', () => {
    const history = historyOf(...Array.from({ length: 100 }, (_, k) => at(k, k * k)));
    expect(history.requestsPerS).toHaveLength(40);
    expect(history.requestsPerS.at(-1)).toBe(99 * 99 - 98 * 98);
  });
});

describe('the live view', () => {
  const history = historyOf(at(0, 0), at(1, 100), at(2, 300, { inFlight: 3 }));

  it('shows rates over time and the rate of each type, engine and strategy', () => {
    const lines = view(history, 80).join('\n');
    expect(lines).toMatch(/^requests\/s +200 +▅█ +peak 200$/m);
    expect(lines).toMatch(/^in flight +3 +▁▁█ +peak 3$/m);
    expect(lines).toMatch(/^Reason +200 +300 +0 +0.50 +1.00 +2.00$/m);
    expect(lines).toMatch(/^local +ready +closed +200 +█+ +100.0 %/m);
    expect(lines).toMatch(/^engine-1 +down +open +0/m);
  });

  it('leaves out unused strategies', () => {
    const lines = view(history, 80).join('\n');
    expect(lines).toMatch(/^ROUND_ROBIN +200 +█+ +100.0 %/m);
    expect(lines).not.toMatch(/LOCAL_FIRST/);
  });

  it('shows no rate before the second message', () => {
    expect(view(historyOf(at(5, 100)), 80).join('\n')).toMatch(/^requests\/s +-/m);
  });

  it.each([120, 80, 60, 50, 40])('fits a terminal of %d columns', (columns) => {
    expect(Math.max(...view(history, columns).map((line) => line.length))).toBeLessThanOrEqual(columns);
  });

  it('fits a terminal with few rows and reports the missing lines', () => {
    const lines = view(history, 80, 12);
    expect(lines.length).toBeLessThan(12);
    expect(lines.at(-1)).toMatch(/^… \d+ more lines$/);
  });
});

describe('a live line', () => {
  it('shows rates, latencies, hit ratio and ready engines', () => {
    expect(liveLine(historyOf(at(0, 0), at(2, 300, { inFlight: 3, cache: { hitRatio: 0.5 } })))).toBe(
      '1970-01-01T00:00:02.000Z  150 requests/s  0 errors/s  3 in flight  Reason p50 0.50 ms  p99 2.00 ms  ' +
        'hit ratio 50.0 %  1 of 2 engines ready',
    );
  });

  it('shows no rate before the second message', () => {
    expect(liveLine(historyOf(at(5, 100)))).toMatch(/ {2}- requests\/s {2}/);
  });
});
