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

  it('is the nearest rank', () => {
    expect(filled([...ramp(100)].reverse()).ofModel('m/1')).toBe(95);
    expect(filled(ramp(30)).ofModel('m/1')).toBe(29);
  });

  it('is the least or the greatest latency at 0 and 100 percent', () => {
    const quantiles = [0, 100].map((percentile) => {
      const quantile = new LatencyQuantile(percentile);
      for (const value of ramp(30)) quantile.record('m/1', value);
      return quantile.ofModel('m/1');
    });
    expect(quantiles).toEqual([1, 30]);
  });

  it('covers exactly the newest 256 latencies', () => {
    const quantile = new LatencyQuantile(0);
    for (const value of ramp(256)) quantile.record('m/1', value);
    expect(quantile.ofModel('m/1')).toBe(1);
    for (let n = 0; n < 32; n += 1) quantile.record('m/1', 1_000);
    expect(quantile.ofModel('m/1')).toBe(33);
  });

  it('is computed again after 32 more latencies', () => {
    const quantile = new LatencyQuantile(100);
    for (const value of ramp(20)) quantile.record('m/1', value);
    const seen: (number | undefined)[] = [quantile.ofModel('m/1')];
    for (let n = 0; n < 31; n += 1) quantile.record('m/1', 500);
    seen.push(quantile.ofModel('m/1'));
    quantile.record('m/1', 500);
    seen.push(quantile.ofModel('m/1'));
    expect(seen).toEqual([20, 20, 500]);
  });

  it('changes with the percentile that is set', () => {
    const quantile = filled(ramp(100));
    quantile.configure(50);
    expect(quantile.ofModel('m/1')).toBe(50);
  });

  it('is kept for 256 models, and all are forgotten at the next one', () => {
    const quantile = new LatencyQuantile(95);
    const fill = (model: number): void => ramp(20).forEach((value) => quantile.record(`m/${model}`, value));
    for (let model = 1; model <= 256; model += 1) fill(model);
    expect([quantile.ofModel('m/1'), quantile.ofModel('m/256')]).toEqual([19, 19]);
    fill(257);
    expect([quantile.ofModel('m/1'), quantile.ofModel('m/256'), quantile.ofModel('m/257')]).toEqual([
      undefined,
      undefined,
      19,
    ]);
  });
});
