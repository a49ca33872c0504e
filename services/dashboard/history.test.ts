import { describe, expect, it } from '@jest/globals';
import { metered } from '../../test/support/metered.ts';
import { Latencies } from '../telemetry/latency.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { History, INTERVAL_MS, KEPT_MS, percentileMs } from './history.ts';

/** A history with its own clock, which `tick` advances by one interval. */
function historyOf(maxBytes?: number): { history: History; metrics: Metrics; tick: (times?: number) => void } {
  const { metrics, meter } = metered();
  let upMs = 0;
  const history = new History(() => ({ ...meter.read(), upMs, timeMs: 1_790_000_000_000 + upMs }), maxBytes);
  history.look();
  const tick = (times = 1): void => {
    for (let n = 0; n < times; n += 1) {
      upMs += INTERVAL_MS;
      history.look();
    }
  };
  return { history, metrics, tick };
}

describe('History.last', () => {
  it('counts only what happened after the first reading', () => {
    const { metrics, meter } = metered();
    metrics.requestEnded('Reason', 'OK', 1);
    let upMs = 0;
    const history = new History(() => ({ ...meter.read(), upMs }));
    history.look();
    metrics.requestEnded('ReasonBatch.item', 'OK', 4);
    metrics.requestEnded('Reason', 'NO_ENGINE', 1);
    metrics.requestEnded('Ping', 'OK', 1);
    metrics.cacheUsed('HIT');
    metrics.cacheUsed('MISS');
    metrics.attemptEnded('engine-1', 'OK', 4);
    upMs = INTERVAL_MS;
    history.look();
    expect(history.last(60)).toMatchObject({ seconds: 2, inputs: 2, errors: 1, lookups: 2, hits: 1 });
    expect(history.last(60).engines).toEqual({ 'engine-1': 1 });
    expect(history.last(60).p50Ms).toBeGreaterThan(3);
  });

  it('returns no latency without requests and no time before two readings', () => {
    const { history, tick } = historyOf();
    expect(history.last(60)).toMatchObject({ seconds: 0, inputs: 0, p99Ms: undefined });
    tick();
    expect(history.last(60)).toMatchObject({ seconds: 2, inputs: 0, p99Ms: undefined });
  });

  it('covers only the requested time', () => {
    const { history, metrics, tick } = historyOf();
    metrics.requestEnded('Reason', 'OK', 1);
    tick(10);
    metrics.requestEnded('Reason', 'OK', 1);
    tick(5);
    expect([history.last(10).inputs, history.last(60).inputs]).toEqual([1, 2]);
    expect(history.last(10).seconds).toBe(10);
  });

  it('continues after the metrics are reset, even with higher counts than before', () => {
    let sinceMs = 1;
    const metrics = new Metrics(() => sinceMs);
    let upMs = 0;
    const { meter } = metered();
    const history = new History(() => ({ ...meter.read(), counts: metrics.snapshot(), upMs }));
    history.look();
    const count = (times: number): void => {
      for (let n = 0; n < times; n += 1) metrics.requestEnded('Reason', 'OK', 1);
      upMs += INTERVAL_MS;
      history.look();
    };
    count(5);
    sinceMs = 2;
    metrics.reset();
    count(7);
    expect(history.last(60).inputs).toBe(12);
  });
});

describe('History', () => {
  it('keeps one hour', () => {
    const { history, tick } = historyOf();
    tick(KEPT_MS / INTERVAL_MS + 100);
    expect(history.size.points).toBe(KEPT_MS / INTERVAL_MS);
    expect(history.last(7_200).seconds).toBe(KEPT_MS / 1_000);
  });

  it('limits its bytes with any number of engines', () => {
    const { history, metrics, tick } = historyOf(20_000);
    for (let n = 0; n < 200; n += 1) {
      for (let k = 0; k < 20; k += 1) metrics.attemptEnded(`engine-${k}`, 'OK', 1);
      tick();
    }
    const { points, bytes } = history.size;
    expect(bytes).toBeLessThanOrEqual(20_000);
    expect(points).toBe(Math.floor(20_000 / (256 + 20 * 32)));
  });
});

describe('History.chart', () => {
  it('has lines of equal length, whose points stay the same over time', () => {
    const { history, metrics, tick } = historyOf();
    for (let n = 0; n < 600; n += 1) {
      metrics.requestEnded('Reason', 'OK', 1 + (n % 7));
      tick();
    }
    const before = history.chart(900);
    expect(before.stepS).toBe(6);
    expect(before.timeMs.length).toBeGreaterThan(140);
    for (const { length } of [before.inputsPerS, before.errorsPerS, before.p50Ms, before.p99Ms]) {
      expect(length).toBe(before.timeMs.length);
    }
    tick();
    const after = history.chart(900);
    expect(after.timeMs.slice(0, 100).every((ms) => before.timeMs.includes(ms))).toBe(true);
  });

  it('has null, not 0, as latency without answers', () => {
    const { history, metrics, tick } = historyOf();
    metrics.requestEnded('Reason', 'OK', 1);
    tick();
    tick();
    const { p50Ms, inputsPerS } = history.chart(60);
    expect([p50Ms[0], p50Ms[1], inputsPerS]).toEqual([expect.any(Number), null, [0.5, 0]]);
  });

  it('has a limited number of points for any time', () => {
    const { history, tick } = historyOf();
    tick(KEPT_MS / INTERVAL_MS);
    expect(history.chart(3_600).timeMs.length).toBeLessThanOrEqual(181);
  });
});

describe('percentileMs', () => {
  it('is within 13 % of the exact percentile', () => {
    const latencies = new Latencies();
    for (let n = 1; n <= 10_000; n += 1) latencies.record(0.0005 * n * n ** 0.5);
    const { p50Ms, p95Ms, p99Ms } = latencies.summary();
    for (const [percent, ms] of [
      [50, p50Ms],
      [95, p95Ms],
      [99, p99Ms],
    ] as const) {
      expect(Math.abs(percentileMs(latencies.buckets(), percent)! / ms - 1)).toBeLessThan(0.13);
    }
  });

  it('returns undefined without values', () => {
    expect(percentileMs([], 50)).toBeUndefined();
    expect(percentileMs([0, 0], 99)).toBeUndefined();
  });
});
