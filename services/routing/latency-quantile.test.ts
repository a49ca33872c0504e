import { describe, expect, it } from '@jest/globals';
import { LatencyQuantile } from './latency-quantile.ts';

function filled(values: readonly number[]): LatencyQuantile {
  const quantile = new LatencyQuantile(95);
  for (const value of values) quantile.record('m/1', value);
  return quantile;
}

const ramp = (n: number): number[] => Array.from({ length: n }, (_, k) => k + 1);

describe('LatencyQuantile', () => {
  it('is undefined below 20 latencies', () => {
    expect([filled(ramp(19)).ofModel('m/1'), filled(ramp(20)).ofModel('m/1')]).toEqual([undefined, 19]);
  });

  it('is computed from the newest latencies', () => {
    expect(filled([...ramp(1_000), ...Array<number>(256).fill(3)]).ofModel('m/1')).toBe(3);
  });

  it('is kept for each model', () => {
    const quantile = filled(ramp(100));
    expect(quantile.ofModel('other/1')).toBeUndefined();
  });
});
