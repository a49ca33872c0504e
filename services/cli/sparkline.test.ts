import { describe, expect, it } from '@jest/globals';
import { bar, sparkline } from './sparkline.ts';

describe('sparkline', () => {
  it('scales values to the largest', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8)).toBe('▁▂▃▄▅▆▇█');
  });

  it('shows a small value differently from 0', () => {
    expect(sparkline([0, 1, 1_000], 8)).toBe('▁▂█');
  });

  it('shows the newest values if not all fit', () => {
    expect(sparkline([7, 7, 0, 7], 2)).toBe('▁█');
  });

  it('is flat if all values are 0', () => {
    expect(sparkline([0, 0], 8)).toBe('▁▁');
  });

  it.each([[[]], [[1, 2]]])('is empty for %j in 0 columns', (values) => {
    expect(sparkline(values, 0)).toBe('');
  });
});

describe('bar', () => {
  it.each([
    [0, '    '],
    [0.5, '██  '],
    [0.4, '█▋  '],
    [0.001, '▏   '],
    [1, '████'],
  ])('fills the share %d of its cells', (share, text) => {
    expect(bar(share, 4)).toBe(text);
  });
});
