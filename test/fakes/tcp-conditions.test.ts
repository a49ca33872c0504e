import { describe, expect, it } from '@jest/globals';
import { Random } from '../fuzz/random.ts';
import { TcpTimes } from './tcp-conditions.ts';

const times = (): TcpTimes => new TcpTimes(new Random(1));

describe('bytes on a TCP connection', () => {
  it('arrive at once on a good network', () => {
    expect(times().arrivalMs(10_000, 5, {})).toBe(5);
  });

  it('arrive after the delay', () => {
    expect(times().arrivalMs(1, 5, { delayMs: 200 })).toBe(205);
  });

  it('arrive at the rate of the link, after earlier bytes', () => {
    const wire = times();
    expect(wire.arrivalMs(1_000, 0, { bitsPerS: 8_000 })).toBe(1_000);
    expect(wire.arrivalMs(500, 100, { bitsPerS: 8_000 })).toBe(1_500);
  });

  it('wait for a retransmission if a segment is lost, and so do later ones', () => {
    const wire = times();
    const arrivals = Array.from({ length: 200 }, () => wire.arrivalMs(1, 0, { lossShare: 0.1 }));
    expect(arrivals).toEqual([...arrivals].sort((a, b) => a - b));
    expect(arrivals[0]).toBe(0);
    expect([200, 600, 1_400]).toContain(arrivals.at(-1));
  });

  it('out of order wait a little', () => {
    expect(times().arrivalMs(1, 0, { reorderShare: 1 })).toBe(10);
  });

  it('that arrive twice use the link twice', () => {
    expect(times().arrivalMs(1_000, 0, { duplicateShare: 1, bitsPerS: 8_000 })).toBe(2_000);
  });
});
