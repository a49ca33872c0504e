import { describe, expect, it } from '@jest/globals';
import { AnswerTimes } from './answer-times.ts';
import { comparePeers, isToBlame } from './slowness.ts';

const BYTES = 12;
const NOW_MS = 10_000;

/** Of a peer that answers in `latencyMs`, the last time a moment ago. */
function peer(latencyMs: number, waitingSinceMs = Infinity): AnswerTimes {
  const times = new AnswerTimes();
  for (let n = 0; n < 50; n += 1) times.recordAnswer(latencyMs, 1, BYTES, 0, NOW_MS - 1);
  times.waitingSinceMs = waitingSinceMs;
  return times;
}

const compare = (elapsedMs: number, ...peers: AnswerTimes[]): string => comparePeers(peers, elapsedMs, BYTES, NOW_MS);

describe('the engines that hold the same model', () => {
  it('are faster where one of them usually answers in less time', () => {
    expect(compare(250, peer(3))).toBe('FASTER');
    expect(compare(250, peer(900), peer(3))).toBe('FASTER');
  });

  it('are as slow where their answers take as long', () => {
    expect(compare(250, peer(300))).toBe('AS_SLOW');
  });

  it('are as slow where they have not answered for half of that time either', () => {
    expect(compare(250, peer(3, NOW_MS - 125))).toBe('AS_SLOW');
    expect(compare(250, peer(3, NOW_MS - 124))).toBe('FASTER');
  });

  it('are as slow where the first requests to them wait, too', () => {
    const times = new AnswerTimes();
    times.recordRequest(NOW_MS - 200);
    expect(compare(250, times)).toBe('AS_SLOW');
  });

  it('tell nothing where there are none, or none was asked', () => {
    expect([compare(250), compare(250, new AnswerTimes())]).toEqual(['UNKNOWN', 'UNKNOWN']);
  });
});

describe('a time-out', () => {
  it('is the engine’s fault where others are faster, whichever clock ran out', () => {
    expect([isToBlame(250, 10, true, 'FASTER'), isToBlame(250, 10, false, 'FASTER')]).toEqual([true, true]);
  });

  it('is not the engine’s fault where others are as slow', () => {
    expect([isToBlame(250, 10, true, 'AS_SLOW'), isToBlame(250, 10, false, 'AS_SLOW')]).toEqual([false, false]);
  });

  it('is not the engine’s fault where the caller gave less time than its answers take, or than a pause may', () => {
    expect([isToBlame(199, 200, false, 'FASTER'), isToBlame(99, 5, false, 'FASTER')]).toEqual([false, false]);
  });

  it('is not the engine’s fault in so short a time without other engines to compare with', () => {
    expect([isToBlame(99, 0, true, 'UNKNOWN'), isToBlame(100, 0, true, 'UNKNOWN')]).toEqual([false, true]);
  });

  it('is the engine’s fault without anything to compare it with only if the time of an attempt ran out', () => {
    expect([isToBlame(10_000, 0, true, 'UNKNOWN'), isToBlame(10_000, 0, false, 'UNKNOWN')]).toEqual([true, false]);
  });
});
