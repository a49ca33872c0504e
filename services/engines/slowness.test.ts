import { describe, expect, it } from '@jest/globals';
import { AnswerTimes } from './answer-times.ts';
import { answersWithin, comparePeers, isToBlame } from './slowness.ts';

const BYTES = 12;
const NOW_MS = 10_000;

/** Times of a peer that answers in `latencyMs` and last answered 1 ms ago. */
function peer(latencyMs: number, waitingSinceMs = Infinity): AnswerTimes {
  const times = new AnswerTimes();
  for (let n = 0; n < 50; n += 1) times.recordAnswer(latencyMs, 1, BYTES, 0, NOW_MS - 1);
  times.waitingSinceMs = waitingSinceMs;
  return times;
}

const compare = (elapsedMs: number, ...peers: AnswerTimes[]): string => comparePeers(peers, elapsedMs, BYTES, NOW_MS);

describe('comparePeers', () => {
  it('returns FASTER if one peer usually answers faster', () => {
    expect(compare(250, peer(3))).toBe('FASTER');
    expect(compare(250, peer(900), peer(3))).toBe('FASTER');
  });

  it('returns FASTER from twice the mean latency of a peer on', () => {
    expect([compare(5.9, peer(3)), compare(6, peer(3))]).toEqual(['AS_SLOW', 'FASTER']);
  });

  it('returns AS_SLOW if the peers’ answers take as long', () => {
    expect(compare(250, peer(300))).toBe('AS_SLOW');
  });

  it('returns AS_SLOW if peers have not answered for half of that time', () => {
    expect(compare(250, peer(3, NOW_MS - 125))).toBe('AS_SLOW');
    expect(compare(250, peer(3, NOW_MS - 124))).toBe('FASTER');
  });

  it('returns AS_SLOW if the first requests to the peers also wait', () => {
    const times = new AnswerTimes();
    times.recordRequest(NOW_MS - 200);
    expect(compare(250, times)).toBe('AS_SLOW');
  });

  it('returns UNKNOWN without peers that were asked', () => {
    expect([compare(250), compare(250, new AnswerTimes())]).toEqual(['UNKNOWN', 'UNKNOWN']);
  });
});

describe('answersWithin', () => {
  const within = (ms: number, times: AnswerTimes, inFlight = 1): boolean =>
    answersWithin(times, { ms, inFlight, bytes: BYTES }, NOW_MS);

  it('is true from twice its mean latency on', () => {
    expect([within(6, peer(3)), within(5.9, peer(3))]).toEqual([true, false]);
  });

  it('is false if it has too many inputs', () => {
    expect([within(29, peer(3), 4), within(29, peer(3), 5)]).toEqual([true, false]);
  });

  it('is false if it has kept another input waiting for half of that time', () => {
    expect([within(20, peer(3, NOW_MS - 9)), within(20, peer(3, NOW_MS - 10))]).toEqual([true, false]);
  });

  it('is false if it has never answered', () => {
    expect(within(1_000, new AnswerTimes())).toBe(false);
  });
});

describe('isToBlame', () => {
  it('is true if peers are faster, for any kind of timeout', () => {
    expect([isToBlame(250, 10, true, 'FASTER'), isToBlame(250, 10, false, 'FASTER')]).toEqual([true, true]);
  });

  it('is false if peers are as slow', () => {
    expect([isToBlame(250, 10, true, 'AS_SLOW'), isToBlame(250, 10, false, 'AS_SLOW')]).toEqual([false, false]);
  });

  it('is false if the caller gave less time than answers take, or under 100 ms', () => {
    expect([isToBlame(199, 200, false, 'FASTER'), isToBlame(99, 5, false, 'FASTER')]).toEqual([false, false]);
    expect([isToBlame(200, 200, false, 'FASTER'), isToBlame(100, 5, false, 'FASTER')]).toEqual([true, true]);
  });

  it('is false under 100 ms without peers', () => {
    expect([isToBlame(99, 0, true, 'UNKNOWN'), isToBlame(100, 0, true, 'UNKNOWN')]).toEqual([false, true]);
  });

  it('is true without peers only if the attempt timed out', () => {
    expect([isToBlame(10_000, 0, true, 'UNKNOWN'), isToBlame(10_000, 0, false, 'UNKNOWN')]).toEqual([true, false]);
  });
});
