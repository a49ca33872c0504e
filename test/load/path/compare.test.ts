import { describe, expect, it } from '@jest/globals';
import type { Row } from '../row.ts';
import { compareRows } from './compare.ts';
import { drawLatency } from './picture.ts';

const row = (what: string, ratio: number): Row => ({ what, ours: ratio, peer: 1, unit: 'µs', ratio, reads: '' });

describe('two runs', () => {
  it('are compared row by row, and a changed ratio is marked', () => {
    const text = compareRows([row('calls', 1.2), row('p99', 1.02)], [row('calls', 1), row('p99', 1)]);
    expect(text).toMatch(/calls\s+1\.00\s+1\.20\s+\+20 %\s+changed/);
    expect(text).toMatch(/p99\s+1\.00\s+1\.02\s+\+2 %$/m);
  });

  it('leave out rows of only one run', () => {
    expect(compareRows([row('new', 1)], [row('old', 1)])).not.toMatch(/new|old/);
  });
});

it('the picture has a line for p50 and one for p99 of each subject', () => {
  const figures = { callsPerS: 1_000, p50Us: 300, p99Us: 2_000, p999Us: 3_000, cpuUs: 30, rssMb: 100, failedShare: 0 };
  const open = ['HAProxy', 'router'].flatMap((subject) => [
    { subject, share: 0.3, ...figures },
    { subject, share: 0.7, ...figures, callsPerS: 2_000 },
  ]);
  const svg = drawLatency({ processor: 'one', cores: 2, rounds: 1, seconds: 1, closed: [], open, others: {} });
  expect(svg.match(/<polyline/g)).toHaveLength(4);
  expect(svg).toContain('>router</text>');
});
