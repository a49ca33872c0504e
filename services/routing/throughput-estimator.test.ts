import { describe, expect, it } from '@jest/globals';
import { ThroughputEstimator } from './throughput-estimator.ts';

/** With answers at 10, 20 … ms after `fromMs`, and running. */
function withAnswers(count: number, fromMs = 0, throughput = new ThroughputEstimator()): ThroughputEstimator {
  throughput.start(fromMs);
  for (let n = 1; n <= count; n += 1) throughput.recordAnswer(fromMs + 10 * n);
  return throughput;
}

describe('ThroughputEstimator', () => {
  it('runs from its start to its stop', () => {
    const throughput = new ThroughputEstimator();
    const runs = [throughput.isRunning];
    throughput.start(0);
    runs.push(throughput.isRunning);
    throughput.stop(5);
    expect([...runs, throughput.isRunning]).toEqual([false, true, false]);
  });

  it('is the number of answers by the time that they took', () => {
    const throughput = withAnswers(20);
    expect(throughput.rateAt(210, 1)).toBeCloseTo(0.1, 2);
  });

  it('drops a sixteenth of what it knows at an answer that comes late', () => {
    const throughput = new ThroughputEstimator();
    throughput.start(0);
    throughput.recordAnswer(1_000);
    throughput.recordAnswer(2_000);
    expect(throughput.rateAt(2_000, 1)).toBeCloseTo((15 / 16 + 2) / ((1_000 * 15) / 16 + 1_000), 8);
  });

  it('falls while no answer comes', () => {
    const throughput = withAnswers(20);
    expect(throughput.rateAt(2_000, 1)).toBeLessThan(0.02);
  });

  it('forgets old answers, so that a new rate shows within two seconds', () => {
    const throughput = withAnswers(20);
    for (let ms = 202; ms <= 2_200; ms += 2) throughput.recordAnswer(ms);
    expect(throughput.rateAt(2_202, 1)).toBeCloseTo(0.5, 1);
  });

  it('is remembered from a stop to the next start, and does not count the time between', () => {
    const throughput = withAnswers(20, 100_000);
    throughput.stop(100_200);
    throughput.start(101_200);
    expect(throughput.rateAt(101_201, 1)).toBeCloseTo(0.1, 1);
    expect(withAnswers(20, 101_200, throughput).rateAt(101_410, 1)).toBeCloseTo(0.1, 2);
  });

  it('is forgotten when it was stopped for ten seconds', () => {
    const throughput = withAnswers(20);
    throughput.stop(200);
    throughput.start(10_200);
    expect(throughput.rateAt(10_210, 1)).toBeCloseTo(1 / 10, 6);
    throughput.recordAnswer(10_201);
    expect(throughput.rateAt(10_202, 1)).toBeGreaterThan(0.9);
  });

  it('counts all requests under way as answered until as many answers have come', () => {
    const throughput = withAnswers(2);
    expect([throughput.rateAt(20, 8), throughput.rateAt(20, 2)]).toEqual([
      expect.closeTo(8 / 20, 2),
      expect.closeTo(3 / 20, 2),
    ]);
  });

  it('is the same after a stop without a pause', () => {
    const throughput = withAnswers(4);
    throughput.stop(40);
    throughput.start(40);
    // Four answers in 40 ms, and the next one now, whatever is under way.
    expect(throughput.rateAt(40, 3)).toBeCloseTo(5 / 40, 2);
  });

  it('fades during a pause, so that its last answers count less', () => {
    const throughput = withAnswers(20);
    throughput.stop(200);
    throughput.start(5_200);
    expect(throughput.rateAt(5_200, 1)).toBeCloseTo((0.5 * 18.2 + 1) / (0.5 * 182), 3);
  });

  it('counts the time from the last answer to the stop, and no pause before the stop', () => {
    const [soon, late] = [withAnswers(20), withAnswers(20)];
    soon.stop(300);
    soon.start(300);
    expect(soon.rateAt(300, 1)).toBeCloseTo(19.2 / 282, 3);
    late.stop(9_200);
    late.start(10_300);
    expect(late.rateAt(10_310, 1)).toBeLessThan(0.003);
  });

  it('counts as many answers as have come since it was forgotten', () => {
    const throughput = withAnswers(20);
    throughput.stop(200);
    throughput.start(20_000);
    expect(throughput.rateAt(20_010, 5)).toBeCloseTo(5 / 10, 6);
    throughput.recordAnswer(21_000);
    throughput.recordAnswer(22_000);
    expect(throughput.rateAt(22_000, 3)).toBeCloseTo(3 / ((1_000 * 15) / 16 + 1_000), 8);
  });
});
