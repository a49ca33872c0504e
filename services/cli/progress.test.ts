import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { Progress, progressText } from './progress.ts';

describe('progress', () => {
  it('has a bar, rate and remaining time if the end is known', () => {
    expect(progressText(500, 10_000, 0.25)).toBe(
      '██████░░░░░░░░░░░░░░░░░░ 25 % · 500 done · 50 per second · 30 s left',
    );
    expect(progressText(2_000, 60_000, 0.25)).toMatch(/2,000 done · 33 per second · 3 min 0 s left$/);
  });

  it('has a count and a rate if the end is unknown', () => {
    expect(progressText(500, 10_000, undefined)).toBe('500 done · 50 per second');
  });

  function shownAfter(tookMs: number, isTTY: boolean): string {
    const stream = Object.assign(new PassThrough(), { isTTY, columns: 80, rows: 24 });
    let nowMs = 0;
    const progress = new Progress({
      share: () => 0.5,
      stream: stream as unknown as NodeJS.WriteStream,
      nowMs: () => nowMs,
    });
    nowMs = tookMs;
    progress.show(10);
    return String((stream.read() as Buffer | null) ?? '');
  }

  it('is shown only in a terminal and for long work', () => {
    expect(shownAfter(2_000, true)).toContain('50 %');
    expect(shownAfter(100, true)).toBe('');
    expect(shownAfter(2_000, false)).toBe('');
  });
});
