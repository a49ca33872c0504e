import { describe, expect, it } from '@jest/globals';
import { bar, sparkline } from './sparkline.ts';

describe('a sparkline', () => {
  it('shows each value’s share of the greatest', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8)).toBe('▁▂▃▄▅▆▇█');
  });

  it('tells little from nothing', () => {
    expect(sparkline([0, 1, 1_000], 8)).toBe('▁▂█');
  });

  it('shows the newest where there is no room for all', () => {
    expect(sparkline([7, 7, 0, 7], 2)).toBe('▁█');
  });

  it('is flat where all is 0', () => {
    expect(sparkline([0, 0], 8)).toBe('▁▁');
  });

  it.each([[[]], [[1, 2]]])('of %j in no room is empty', (values) => {
    expect(sparkline(values, 0)).toBe('');
  });
});

describe('a bar', () => {
  it.each([
    [0, '    '],
    [0.5, '██  '],
    [0.4, '█▋  '],
    [0.001, '▏   '],
    [1, '████'],
  ])('of %d fills its share of the cells', (share, text) => {
    expect(bar(share, 4)).toBe(text);
  });
});
