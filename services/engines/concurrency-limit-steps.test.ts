// Each decision of the limit, window by window.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ConcurrencyLimit, type LimitOutcome } from './concurrency-limit.ts';

interface Window {
  readonly count: number;
  readonly latencyMs: number;
  readonly inFlight?: number;
  readonly elapsedMs?: number;
  /** Of `count`; the others fail. */
  readonly answered?: number;
  /** Of those that are not answered. */
  readonly outcome?: LimitOutcome;
}

let limit: ConcurrencyLimit;
let nowMs: number;

beforeEach(() => {
  limit = new ConcurrencyLimit();
  nowMs = 1_000;
});

/** Records the requests of a window, whose last one ends it; returns the new limit. */
function window({ count, latencyMs, elapsedMs = 1_000, outcome = 'failure', ...over }: Window): number {
  const { inFlight = limit.limit, answered = count } = over;
  for (let n = 1; n <= count; n += 1) {
    if (n === count) nowMs += elapsedMs;
    limit.record(latencyMs, inFlight, n <= answered ? 'success' : outcome, nowMs);
  }
  return limit.limit;
}

/** A window with a standing queue, in which `answers` of a thousand milliseconds are answered. */
const standing = (answers: number, latencyMs = 250): number => window({ count: answers, latencyMs });
/** A window without a queue, far from the limit. */
const calm = (): number => window({ count: 50, latencyMs: 1, inFlight: 1 });

describe('a window', () => {
  it.each([
    [50, 1, 100, 96],
    [49, 1, 100, 64],
    [50, 1, 99, 64],
    [50, 60, 120, 96],
    [50, 60, 119, 64],
  ])(
    'of %d requests that take %d ms and end within %d ms gives a limit of %d',
    (count, latencyMs, elapsedMs, limit) => {
      expect(window({ count, latencyMs, elapsedMs })).toBe(limit);
    },
  );

  it.each([
    [58, 96],
    [57, 64],
  ])('with %d requests in flight gives a limit of %d', (inFlight, limit) => {
    expect(window({ count: 50, latencyMs: 1, inFlight })).toBe(limit);
  });

  it('has a queue if answers take longer than 100 ms', () => {
    expect(window({ count: 50, latencyMs: 100, elapsedMs: 200 })).toBe(96);
    expect(window({ count: 50, latencyMs: 101, elapsedMs: 202 })).toBe(96);
  });

  it('counts the time of requests that were not answered', () => {
    expect(window({ count: 50, latencyMs: 3, answered: 0 })).toBe(42);
  });

  it('starts with nothing of the one before', () => {
    expect(window({ count: 50, latencyMs: 90 })).toBe(96);
    expect(window({ count: 50, latencyMs: 20 })).toBe(144);
    expect(window({ count: 50, latencyMs: 1, inFlight: 1 })).toBe(144);
    expect(window({ count: 49, latencyMs: 1 })).toBe(144);
  });

  it('starts with no time and no answers of the one before', () => {
    expect(window({ count: 50, latencyMs: 1 })).toBe(96);
    expect(window({ count: 50, latencyMs: 1, elapsedMs: 99 })).toBe(96);
    expect(window({ count: 1, latencyMs: 1, elapsedMs: 1 })).toBe(144);
    expect(window({ count: 50, latencyMs: 150, answered: 0, inFlight: 5 })).toBe(4);
  });

  it('begins when the one before ends, not with its first request', () => {
    calm();
    nowMs += 100;
    expect(window({ count: 50, latencyMs: 1, elapsedMs: 0 })).toBe(96);
  });
});

describe('requests that callers cancel', () => {
  it.each([
    [99.9, 64],
    [100, 4],
  ])('after %d ms give a limit of %d', (latencyMs, expected) => {
    expect(window({ count: 60, latencyMs, answered: 0, outcome: 'ignore', inFlight: 5 })).toBe(expected);
  });
});

describe('late answers', () => {
  it('are those of which less than four fifths come in time', () => {
    expect(window({ count: 50, latencyMs: 150, answered: 40, inFlight: 5 })).toBe(64);
    expect(window({ count: 50, latencyMs: 150, answered: 39, inFlight: 5 })).toBe(4);
  });

  it('reduce the limit from what was in flight, by what exceeds 100 ms', () => {
    expect(window({ count: 100, latencyMs: 90, answered: 75, inFlight: 40 })).toBe(32);
  });
});

describe('a standing queue', () => {
  it('has more than seven tenths of the limit in flight on average', () => {
    expect(window({ count: 224, latencyMs: 200 })).toBe(64);
    expect(window({ count: 225, latencyMs: 200 })).toBe(96);
  });

  it('is none if the limit was not reached', () => {
    expect(window({ count: 320, latencyMs: 200, inFlight: 57 })).toBe(64);
  });

  it('keeps a higher limit if answers grow by more than a tenth', () => {
    expect([standing(320), standing(353)]).toEqual([96, 144]);
  });

  it('reduces the limit if a higher one gives fewer answers than that', () => {
    expect([standing(320), standing(351)]).toEqual([96, 32]);
  });

  it('keeps a lower limit if it gives nearly as many answers, and tries a lower one', () => {
    expect([standing(320), standing(351), standing(327, 125)]).toEqual([96, 32, 25]);
  });

  it.each([
    [125, 51],
    [160, 40],
    [200, 32],
    [400, 32],
  ])('of answers that take %d ms reduces the limit to %d', (latencyMs, expected) => {
    expect([standing(600, latencyMs), standing(601, latencyMs)]).toEqual([96, expected]);
  });
});

describe('a lower limit that gives fewer answers', () => {
  beforeEach(() => {
    expect([standing(320), standing(351), standing(326)]).toEqual([96, 32, 64]);
  });

  it('is undone, and no other is tried for 20 windows', () => {
    for (let n = 0; n < 20; n += 1) expect(standing(320)).toBe(64);
    expect(standing(320)).toBe(96);
  });

  it('lets the best of those windows count', () => {
    for (let n = 0; n < 20; n += 1) standing(n === 0 ? 400 : 320);
    expect([standing(320), standing(420)]).toEqual([96, 32]);
  });

  it('does not let the answers before it count', () => {
    for (let n = 0; n < 20; n += 1) standing(240);
    expect([standing(240), standing(300)]).toEqual([96, 144]);
  });

  it('is tried at once if answers are late', () => {
    expect(window({ count: 400, latencyMs: 250, answered: 300 })).toBe(32);
  });

  it('is forgotten when there is no queue any more', () => {
    expect([calm(), standing(320)]).toEqual([64, 96]);
  });
});

describe('a lower limit with late answers', () => {
  const late = (answered: number): number => window({ count: 400, latencyMs: 250, answered });

  beforeEach(() => {
    expect([standing(320), standing(351)]).toEqual([96, 32]);
  });

  it('is undone only if it gives less than six tenths of the answers', () => {
    expect(late(210)).toBe(64);
  });

  it('is followed by a lower one else', () => {
    expect(late(211)).toBe(16);
  });
});

describe('the end of a queue', () => {
  it('ends the trial of a lower limit: the next trial is a higher one', () => {
    expect([standing(320), standing(351), calm(), standing(320)]).toEqual([96, 32, 32, 48]);
  });

  it('makes the answers before it no measure any more', () => {
    expect([standing(320), calm(), standing(300), standing(340, 400)]).toEqual([96, 96, 144, 216]);
  });
});

describe('an engine that was full', () => {
  it('gets its limit back up to nine tenths of what it had, and then a twentieth at a time', () => {
    limit.record(1, 64, 'full', nowMs);
    const fast = (): number => window({ count: 50, latencyMs: 1 });
    expect([limit.limit, fast(), fast(), fast()]).toEqual([51, 57, 60, 63]);
  });
});
