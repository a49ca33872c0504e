import { describe, expect, it } from '@jest/globals';
import { RecordingIds } from './recording-ids.ts';

const A_LIFE = 2n ** 40n;

describe('RecordingIds', () => {
  const ids = new RecordingIds();

  it('gives the number of a recording back', () => {
    for (const number of [1n, 7n, A_LIFE - 1n])
      expect(ids.numberOf(ids.base(2, 5) + number, 2, 5)).toBe(Number(number));
  });

  it('knows no number before the first or behind the last of a thread', () => {
    for (const number of [-1n, 0n, A_LIFE, A_LIFE + 1n]) {
      expect(ids.numberOf(ids.base(2, 5) + number, 2, 5)).toBeUndefined();
    }
  });

  it('differ between workers, and between the threads of one worker', () => {
    const id = ids.base(1, 3) + 1n;
    for (const [worker, life] of [
      [0, 3],
      [2, 3],
      [1, 2],
      [1, 4],
      [0, 1027],
    ] as const)
      expect(ids.numberOf(id, worker, life)).toBeUndefined();
    const lives = [0, 1, 2].flatMap((worker) => [0, 1, 1023].map((life) => ids.base(worker, life)));
    expect(new Set(lives).size).toBe(9);
  });

  it('start again with the first thread after 1024 threads of a worker', () => {
    expect(ids.base(1, 1024)).toBe(ids.base(1, 0));
    expect(ids.base(1, 0) - ids.base(0, 1023)).toBe(A_LIFE);
  });

  it('fit 64 bits and are never 0, wherever they start', () => {
    for (let n = 0; n < 50; n += 1) {
      const base = new RecordingIds().base(0, 0);
      expect(base >= 1n && base <= 2n ** 63n).toBe(true);
    }
    expect(new RecordingIds().base(0, 0)).not.toBe(new RecordingIds().base(0, 0));
  });
});
