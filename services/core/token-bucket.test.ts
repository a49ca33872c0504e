import { describe, expect, it } from '@jest/globals';
import { TokenBucket } from './token-bucket.ts';

describe('TokenBucket', () => {
  it('gives tokens for one second at once, then at its rate', () => {
    let nowMs = 0;
    const bucket = new TokenBucket(10, () => nowMs);
    const takeAll = (): number => {
      let count = 0;
      while (bucket.take() === 0) count += 1;
      return count;
    };
    expect(takeAll()).toBe(10);
    expect(bucket.take()).toBe(100);
    nowMs = 99;
    expect(bucket.take()).toBe(1);
    nowMs = 100;
    expect(takeAll()).toBe(1);
    nowMs = 60_000;
    expect(takeAll()).toBe(10);
  });

  it('accepts returned tokens up to its capacity', () => {
    const bucket = new TokenBucket(1, () => 0);
    expect([bucket.take(), bucket.take()]).toEqual([0, 1_000]);
    bucket.giveBack();
    bucket.giveBack();
    expect([bucket.take(), bucket.take()]).toEqual([0, 1_000]);
  });

  it('never gives a token at rate 0', () => {
    expect(new TokenBucket(0, () => 0).take()).toBe(Infinity);
  });
});
