// The pages' own arithmetic, which runs in the browser.
import { describe, expect, it } from '@jest/globals';
import { LATENCY_BUCKETS, Latencies } from '../telemetry/latency.ts';
import { Recent } from './recent.ts';

interface Snapshot {
  readonly upMs: number;
  readonly sinceMs: number;
  readonly reasoning: { readonly count: number; readonly buckets: readonly number[] };
}
interface Stats {
  percentile(buckets: readonly number[], percent: number): number | undefined;
  bucketMs(index: number): number;
  History: new () => {
    snapshots: Snapshot[];
    push(snapshot: Snapshot): void;
    rate(read: (snapshot: Snapshot) => number, seconds?: number): number | undefined;
  };
}
const { percentile, bucketMs, History } = (await import(new URL('assets/stats.js', import.meta.url).href)) as Stats;

const snapshot = (upMs: number, count: number, sinceMs = 0): Snapshot => {
  return { upMs, sinceMs, reasoning: { count, buckets: [] } };
};
const requests = ({ reasoning }: Snapshot): number => reasoning.count;

describe('percentiles from buckets', () => {
  it('are within a bucket of those that the router has', () => {
    const latencies = new Latencies();
    for (let n = 1; n <= 10_000; n += 1) latencies.record(0.0005 * n * n ** 0.5);
    const { p50Ms, p95Ms, p99Ms } = latencies.summary();
    const buckets = latencies.buckets();
    expect(buckets).toHaveLength(LATENCY_BUCKETS);
    for (const [percent, ms] of [
      [50, p50Ms],
      [95, p95Ms],
      [99, p99Ms],
    ] as const) {
      expect(Math.abs(percentile(buckets, percent)! / ms - 1)).toBeLessThan(0.13);
    }
  });

  it('are none where there is nothing', () => {
    expect(percentile([], 50)).toBeUndefined();
    expect(percentile([0, 0], 99)).toBeUndefined();
  });

  it('know where each bucket begins', () => {
    expect([bucketMs(80), bucketMs(81), bucketMs(84)]).toEqual([1.048576, 1.31072, 2.097152]);
  });
});

describe('rates', () => {
  it('are of the last seconds, and unknown until there are two snapshots', () => {
    const history = new History();
    history.push(snapshot(0, 100));
    expect(history.rate(requests)).toBeUndefined();
    for (let s = 1; s <= 20; s += 1) history.push(snapshot(s * 1_000, 100 + s * s));
    expect(history.rate(requests, 5)).toBe((20 ** 2 - 15 ** 2) / 5);
  });

  it('begin anew when counting does', () => {
    const history = new History();
    history.push(snapshot(0, 100));
    history.push(snapshot(1_000, 5, 900));
    expect(history.snapshots).toHaveLength(1);
  });

  it('forget what is older than two minutes', () => {
    const history = new History();
    for (let s = 0; s < 1_000; s += 1) history.push(snapshot(s * 1_000, s));
    expect(history.snapshots.length).toBe(121);
  });
});

describe('the newest', () => {
  it('are so many at most, newest first', () => {
    const recent = new Recent<number>(3);
    for (let n = 1; n <= 5; n += 1) recent.add(n);
    expect([recent.recent(10), recent.recent(2)]).toEqual([
      [5, 4, 3],
      [5, 4],
    ]);
  });
});
