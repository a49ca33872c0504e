import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Repeats } from './repeats.ts';

let published: string[];
let repeats: Repeats<string, number>;

beforeEach(() => {
  jest.useFakeTimers({ now: 1_790_000_000_000 });
  published = [];
  repeats = new Repeats((what, { count }, before) => {
    const replaced = before === undefined ? '' : ` for ${before}`;
    return published.push(`${what} ×${count}${replaced}`);
  });
});

afterEach(() => {
  repeats.stop();
  jest.useRealTimers();
});

function pass(ms: number): void {
  jest.advanceTimersByTime(ms);
}

describe('a repeated cause', () => {
  it('is reported at once the first time, and then with a count', () => {
    repeats.add('e1', 'down: lost', 'down');
    expect(published).toEqual(['down ×1']);
    pass(100);
    for (let n = 0; n < 4; n += 1) repeats.add('e1', 'down: lost', 'down');
    expect(published).toHaveLength(1);
    pass(900);
    expect(published.slice(1)).toEqual(['down ×5 for 1']);
  });

  it('is reported once a minute while it continues', () => {
    for (let ms = 0; ms < 600_000; ms += 360) {
      repeats.add('e1', 'down: lost', 'down');
      pass(360);
    }
    expect(published.length).toBeGreaterThan(10);
    expect(published.length).toBeLessThanOrEqual(16);
  });

  it('is one cause if only durations and counts differ in its text', () => {
    repeats.add('e1', 'silent for 499 ms', 'down');
    for (let n = 2; n < 50; n += 1) repeats.add('e1', `silent for ${500 + n} ms (${n} times in a row)`, 'down');
    expect(published).toEqual(['down ×1']);
  });

  it('is reported in the order of the last occurrences', () => {
    for (const what of ['down', 'ready', 'down', 'ready', 'down', 'ready']) repeats.add('e1', what, what);
    pass(1_000);
    expect(published).toEqual(['down ×1', 'ready ×1', 'down ×3 for 1', 'ready ×3 for 2']);
  });

  it('does not delay another cause, or another subject', () => {
    for (let n = 0; n < 5; n += 1) repeats.add('e1', 'down: lost', 'lost');
    repeats.add('e1', 'down: refused', 'refused');
    repeats.add('e2', 'down: lost', 'e2 lost');
    expect(published).toEqual(['lost ×1', 'lost ×5 for 1', 'refused ×1', 'e2 lost ×1']);
  });

  it('is reported at once again after two minutes without it', () => {
    repeats.add('e1', 'down: lost', 'down');
    pass(120_000);
    repeats.add('e1', 'down: lost', 'down');
    expect(published).toEqual(['down ×1', 'down ×1']);
  });

  it('is limited to 16 texts per subject', () => {
    for (let n = 0; n < 1_000; n += 1) repeats.add('e1', `x${'y'.repeat(n)}`, 'down');
    expect(published).toHaveLength(17);
  });

  it('is reported at the end with its count', () => {
    repeats.add('e1', 'down', 'down');
    repeats.add('e1', 'down', 'down');
    repeats.stop();
    expect(published).toEqual(['down ×1', 'down ×2 for 1']);
  });
});
