import { describe, expect, it } from '@jest/globals';
import { ConcurrencyLimit, LIMIT_DEFAULTS, type LimitOutcome } from './concurrency-limit.ts';

/** Keeps `inFlight` requests in flight on an engine that takes `latencyMs(inFlight)`, on a virtual clock. */
class Engine {
  readonly limit: ConcurrencyLimit;
  nowMs = 1_000;
  #outcomes = 0;

  constructor(options = LIMIT_DEFAULTS) {
    this.limit = new ConcurrencyLimit(options);
  }

  /** Sends as many requests as the limit allows, up to `atMost`. */
  run(seconds: number, latencyMs: (inFlight: number) => number, atMost = Infinity, answeredPart = 1): this {
    const untilMs = this.nowMs + seconds * 1_000;
    while (this.nowMs < untilMs) {
      const inFlight = Math.min(this.limit.limit, atMost);
      const ms = latencyMs(inFlight);
      this.nowMs += ms / inFlight;
      this.#outcomes += answeredPart;
      const isAnswered = this.#outcomes >= 1;
      if (isAnswered) this.#outcomes -= 1;
      this.limit.record(ms, inFlight, isAnswered ? 'success' : 'failure', this.nowMs);
    }
    return this;
  }

  times(count: number, outcome: LimitOutcome, latencyMs: number, inFlight: number): this {
    for (let n = 0; n < count; n += 1) this.limit.record(latencyMs, inFlight, outcome, (this.nowMs += 1));
    return this;
  }
}

/** Latency if requests run one after the other. */
const queue = (eachMs: number) => (inFlight: number) => inFlight * eachMs;
/** Latency if up to `size` requests run at once. */
const batches = (size: number, fixedMs: number, eachMs: number) => (inFlight: number) => {
  return Math.max(1, inFlight / size) * (fixedMs + Math.min(size, inFlight) * eachMs);
};

describe('ConcurrencyLimit', () => {
  it('starts at 64', () => {
    const { limit } = new Engine();
    expect([limit.limit, limit.hasCapacity(63), limit.hasCapacity(64)]).toEqual([64, true, false]);
  });

  it('never exceeds the engine’s own limit, and 0 removes that limit', () => {
    const { limit } = new Engine();
    limit.cap(10);
    expect([limit.limit, new Engine().run(5, () => 3).limit.limit]).toEqual([10, 1_024]);
    limit.cap(2);
    expect(limit.limit).toBe(2);
    limit.cap(0);
    const engine = new Engine();
    engine.limit.cap(100);
    expect(engine.run(5, () => 3).limit.limit).toBe(100);
    engine.limit.cap(0);
    expect(engine.run(5, () => 3).limit.limit).toBe(1_024);
  });

  it('does not change if it is not reached', () => {
    expect(new Engine().run(10, () => 1, 8).limit.limit).toBe(64);
    expect(new Engine().run(10, () => 5_000, 8).limit.limit).toBe(64);
  });

  it('grows to its maximum if the engine stays fast', () => {
    expect(new Engine().run(5, () => 3).limit.limit).toBe(1_024);
    expect(new Engine({ ...LIMIT_DEFAULTS, max: 100 }).run(5, () => 3).limit.limit).toBe(100);
    expect(new Engine({ ...LIMIT_DEFAULTS, max: 16 }).limit.limit).toBe(16);
  });

  it.each([
    // The upper bound includes a trial with more requests in flight.
    ['1 ms', 1, 50, 240],
    ['10 ms', 10, 7, 24],
    ['100 ms', 100, 4, 8],
    ['3 s', 3_000, 4, 8],
  ])('allows a queue of about 100 ms if a request takes %s', (_, eachMs, least, most) => {
    const { limit } = new Engine().run(300 * Math.max(1, eachMs / 100), queue(eachMs));
    expect(limit.limit).toBeGreaterThanOrEqual(least);
    expect(limit.limit).toBeLessThanOrEqual(most);
  });

  it.each([
    [32, 20, 1],
    [32, 300, 5],
    [256, 300, 0.1],
    [256, 2_000, 1],
  ])('keeps 90% throughput for batches of %d at %d ms plus %d ms each', (size, fixed, each) => {
    const latencyMs = batches(size, fixed, each);
    const engine = new Engine().run(300, latencyMs);
    const shares = [];
    for (let n = 0; n < 100; n += 1) {
      const { limit } = engine.run(6, latencyMs).limit;
      shares.push(limit / latencyMs(limit) / (size / latencyMs(size)));
    }
    expect(shares.reduce((sum, share) => sum + share, 0) / shares.length).toBeGreaterThan(0.9);
  });

  it('shrinks only once for simultaneous ENGINE_FULL refusals', () => {
    const engine = new Engine().times(100, 'full', 1, 64);
    expect(engine.limit.limit).toBe(51);
    expect(engine.times(1, 'full', 1, 50).limit.limit).toBe(40);
    expect(engine.times(10, 'full', 1, 1).limit.limit).toBe(4);
  });

  it('grows back slowly after the engine was full', () => {
    const engine = new Engine().run(5, () => 3, 500).times(2, 'full', 1, 500);
    expect(engine.limit.limit).toBe(400);
    expect(engine.run(0.5, () => 3).limit.limit).toBeLessThan(550);
    expect(engine.run(5, () => 3).limit.limit).toBe(1_024);
  });

  it('ends a trial when the engine is full: the next one starts at the reduced limit', () => {
    const engine = new Engine().run(1.4, queue(10));
    const trialLimit = engine.limit.limit;
    expect(trialLimit).toBe(96);
    engine.times(1, 'full', 1, trialLimit);
    expect(engine.limit.limit).toBe(76);
    expect(engine.run(1.7, queue(10)).limit.limit).toBe(115);
  });

  it('does not change after one slow request', () => {
    const engine = new Engine().run(1, () => 3, 60);
    engine.limit.record(30_000, 60, 'success', engine.nowMs);
    expect(engine.run(2, () => 3, 60).limit.limit).toBeGreaterThanOrEqual(64);
  });

  it('ignores requests that callers cancel', () => {
    const engine = new Engine().run(1, () => 3, 32);
    const before = engine.limit.limit;
    expect(engine.times(10_000, 'ignore', 20, before).limit.limit).toBe(before);
  });

  it('shrinks if many requests time out, even below the limit', () => {
    const engine = new Engine().run(30, queue(25), 40, 0.5);
    expect(engine.limit.limit).toBeLessThan(40);
  });

  it('grows again if the engine becomes fast', () => {
    const engine = new Engine().run(200, queue(100));
    expect(engine.limit.limit).toBeLessThanOrEqual(8);
    expect(engine.run(5, () => 3).limit.limit).toBe(1_024);
  });

  it('grows within seconds after slow answers', () => {
    const slow = new Engine().run(200, queue(100));
    expect(slow.run(3, queue(1)).limit.limit).toBeGreaterThan(32);
  });
});
