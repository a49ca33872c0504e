import { describe, expect, it } from '@jest/globals';
import { Random } from '../../test/fuzz/random.ts';
import { Latencies } from './latency.ts';

const TOLERANCE = 0.02;

function recorded(values: readonly number[]): Latencies {
  const latencies = new Latencies();
  for (const value of values) latencies.record(value);
  return latencies;
}

/** Nearest rank. */
function exact(values: readonly number[], percent: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil((percent / 100) * values.length) - 1]!;
}

/** Milliseconds, 1 µs to 1 h. */
const DISTRIBUTIONS: Record<string, (random: Random) => number> = {
  'uniform, 1 to 10 ms': (random) => random.between(1, 10),
  'uniform in the logarithm, 1 µs to 1 h': (random) => 0.001 * 3.6e9 ** random.next(),
  exponential: (random) => 0.001 - 2 * Math.log(1 - random.next()),
  'heavy-tailed (Pareto, α = 1.2)': (random) => Math.min(0.3 / (1 - random.next()) ** (1 / 1.2), 3.6e6),
  'fast, with a few timeouts': (random) => (random.chance(0.03) ? 10_000 : random.between(0.2, 0.4)),
  'microseconds only': (random) => random.integer(1, 40) / 1_000,
};

describe.each(Object.entries(DISTRIBUTIONS))('percentiles of a distribution that is %s', (_name, draw) => {
  it.each([1, 2, 31, 1_000, 50_000])('are within 2 %% of the exact ones for %d values', (count) => {
    for (const seed of [1, 2, 3]) {
      const random = new Random(seed);
      const values = random.list(count, () => draw(random));
      const { p50Ms, p95Ms, p99Ms } = recorded(values).summary();
      for (const [percent, ms] of [
        [50, p50Ms],
        [95, p95Ms],
        [99, p99Ms],
      ] as const) {
        expect(Math.abs(ms / exact(values, percent) - 1)).toBeLessThan(TOLERANCE);
      }
    }
  });
});

describe('Latencies', () => {
  it('returns only zeros before the first value', () => {
    expect(new Latencies().summary()).toEqual({
      count: 0,
      avgMs: 0,
      minMs: 0,
      maxMs: 0,
      p50Ms: 0,
      p95Ms: 0,
      p99Ms: 0,
    });
  });

  it('keeps count, average, minimum and maximum exactly', () => {
    const summary = recorded([1.25, 0.001234, 7.5]).summary();
    expect(summary).toMatchObject({ count: 3, minMs: 0.001234, maxMs: 7.5 });
    expect(summary.avgMs).toBeCloseTo(2.917078, 9);
  });

  it('never returns a percentile above the maximum', () => {
    expect(recorded([1.001]).summary()).toMatchObject({ p50Ms: 1.001, p99Ms: 1.001 });
  });

  it.each([0, -1, NaN])('counts %d ms as the shortest latency', (durationMs) => {
    expect(recorded([durationMs]).summary()).toMatchObject({ count: 1, maxMs: 1e-6 });
  });

  it.each([3.7e6, Infinity])('counts %d ms as an hour', (durationMs) => {
    expect(recorded([durationMs]).summary()).toMatchObject({ count: 1, minMs: 3.6e6 });
  });
});
