import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fakeBreaker } from '../../test/fakes/fake-parts.ts';
import { Breaker, type BreakerEvent } from './breaker.ts';

let events: BreakerEvent[];
let breaker: Breaker;

beforeEach(() => {
  jest.useFakeTimers();
  events = [];
  breaker = new Breaker(fakeBreaker, (event) => events.push(event));
});

afterEach(() => {
  breaker.stop();
  jest.useRealTimers();
});

/** Sends requests one after the other and ends each with its outcome. */
async function send(...outcomes: ('success' | 'failure' | 'ignore')[]): Promise<void> {
  for (const outcome of outcomes) {
    breaker.end(breaker.begin(), outcome, outcome === 'failure' ? 'ENGINE_FAULT' : 'OK');
    await jest.advanceTimersByTimeAsync(0);
  }
}

const times = <T>(n: number, value: T): T[] => Array<T>(n).fill(value);

describe('Breaker', () => {
  it('stays closed after successes', async () => {
    await send(...times(100, 'success' as const));
    expect([breaker.state, breaker.allowsRequest]).toEqual(['CLOSED', true]);
  });

  it('opens if half of at least five requests fail, and says why', async () => {
    await send('success', 'success', 'failure', 'failure');
    expect(breaker.state).toBe('CLOSED');
    await send('failure');
    expect([breaker.state, breaker.allowsRequest]).toEqual(['OPEN', false]);
    expect(events.map(({ state, why }) => [state, why])).toEqual([
      ['OPEN', '3 of 5 requests failed within 10000 ms, the last with ENGINE_FAULT'],
    ]);
  });

  it('ignores failures older than its window', async () => {
    await send('failure', 'failure', 'failure', 'failure');
    await jest.advanceTimersByTimeAsync(11_000);
    await send('failure');
    expect(breaker.state).toBe('CLOSED');
  });

  it('opens if five requests in a row fail over at least 100 ms', async () => {
    await send(...times(1_000, 'success' as const), ...times(4, 'failure' as const));
    await jest.advanceTimersByTimeAsync(100);
    expect(breaker.state).toBe('CLOSED');
    await send('failure');
    expect(events.map(({ why }) => why)).toEqual(['5 requests in a row failed, the last with ENGINE_FAULT']);
  });

  it('stays closed if failures are simultaneous or a success is between them', async () => {
    await send(...times(1_000, 'success' as const), ...times(20, 'failure' as const), 'success');
    await jest.advanceTimersByTimeAsync(100);
    await send(...times(4, 'failure' as const), 'success', ...times(4, 'failure' as const));
    expect(breaker.state).toBe('CLOSED');
  });

  it('ignores failures that are not the engine’s fault', async () => {
    await send(...times(10_000, 'ignore' as const));
    expect([breaker.state, events]).toEqual(['CLOSED', []]);
  });

  describe('that is open', () => {
    beforeEach(async () => {
      await send(...times(5, 'failure' as const));
      await jest.advanceTimersByTimeAsync(499);
      expect(breaker.allowsRequest).toBe(false);
      await jest.advanceTimersByTimeAsync(1);
    });

    it('allows a single probe after its reset time', () => {
      expect([breaker.state, breaker.allowsRequest]).toEqual(['HALF_OPEN', true]);
      breaker.begin();
      expect(breaker.allowsRequest).toBe(false);
    });

    it('closes if the probe succeeds', async () => {
      await send('success');
      expect([breaker.state, breaker.allowsRequest]).toEqual(['CLOSED', true]);
      expect(events.map(({ state }) => state)).toEqual(['OPEN', 'HALF_OPEN', 'CLOSED']);
    });

    it('opens again for twice as long if the probe fails', async () => {
      await send('failure');
      expect(breaker.state).toBe('OPEN');
      await jest.advanceTimersByTimeAsync(999);
      expect(breaker.allowsRequest).toBe(false);
      await jest.advanceTimersByTimeAsync(1);
      expect(breaker.allowsRequest).toBe(true);
    });

    it('stays open for at most 16 times the reset time', async () => {
      for (let n = 0; n < 10; n += 1) {
        await send('failure');
        await jest.advanceTimersByTimeAsync(8_000);
        expect(breaker.allowsRequest).toBe(true);
      }
      await send('failure');
      await jest.advanceTimersByTimeAsync(7_999);
      expect(breaker.allowsRequest).toBe(false);
    });

    it('stays open twice as long if it reopens soon, but not later', async () => {
      await send('success');
      await send(...times(5, 'failure' as const));
      await jest.advanceTimersByTimeAsync(999);
      expect(breaker.allowsRequest).toBe(false);
      await jest.advanceTimersByTimeAsync(1);
      await send('success');
      await jest.advanceTimersByTimeAsync(2_000);
      await send(...times(5, 'failure' as const));
      await jest.advanceTimersByTimeAsync(500);
      expect(breaker.allowsRequest).toBe(true);
    });

    it('stays open no longer if the connection was lost again', async () => {
      await send('success');
      breaker.trip('away again');
      await jest.advanceTimersByTimeAsync(500);
      expect(breaker.allowsRequest).toBe(true);
    });

    it('stays open longer after each protocol violation, even if probes succeed', async () => {
      await send('success');
      const pausesMs: number[] = [];
      for (let n = 0; n < 8; n += 1) {
        breaker.trip('it sent 9 answers with ids that were never sent, or answered before', true);
        const sinceMs = performance.now();
        while (!breaker.allowsRequest) await jest.advanceTimersByTimeAsync(500);
        pausesMs.push(performance.now() - sinceMs);
        await send('success');
        await jest.advanceTimersByTimeAsync(10_000);
      }
      expect(pausesMs).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 32_000, 32_000]);
      await jest.advanceTimersByTimeAsync(22_000);
      breaker.trip('the connection was lost');
      await jest.advanceTimersByTimeAsync(500);
      expect(breaker.allowsRequest).toBe(true);
    });

    it('allows another probe if the first had no outcome', async () => {
      await send('ignore');
      expect([breaker.state, breaker.allowsRequest]).toEqual(['HALF_OPEN', true]);
    });

    it('allows another probe after its next reset time if its engine was lost during the first', async () => {
      breaker.begin();
      breaker.trip('the connection was lost');
      await jest.advanceTimersByTimeAsync(500);
      expect([breaker.state, breaker.allowsRequest]).toEqual(['HALF_OPEN', true]);
    });

    it('ignores requests that were sent before it opened', async () => {
      const early = { isProbe: false };
      breaker.end(early, 'success', 'OK');
      await jest.advanceTimersByTimeAsync(0);
      expect(breaker.state).toBe('HALF_OPEN');
    });
  });

  it('forgets failures in a row that are older than its window', async () => {
    await send(...times(4, 'failure' as const));
    await jest.advanceTimersByTimeAsync(11_000);
    await send('failure');
    await jest.advanceTimersByTimeAsync(100);
    await send('failure');
    expect(breaker.state).toBe('CLOSED');
  });

  it('counts failures in a row that are exactly one window apart', async () => {
    await send(...times(4, 'failure' as const));
    await jest.advanceTimersByTimeAsync(10_000);
    await send('failure');
    expect(events.map(({ why }) => why)).toEqual(['5 requests in a row failed, the last with ENGINE_FAULT']);
  });

  it('counts failures in a row at any time', async () => {
    await jest.advanceTimersByTimeAsync(9_000);
    await send(...times(1_000, 'success' as const), ...times(4, 'failure' as const));
    await jest.advanceTimersByTimeAsync(100);
    await send('failure');
    expect(breaker.state).toBe('OPEN');
  });

  it('forgets failures after nine tenths of its window at the earliest, after the window at the latest', async () => {
    for (const [failedMs, againMs, state] of [
      [1, 9_999, 'OPEN'],
      [950, 10_001, 'CLOSED'],
    ] as const) {
      const fresh = new Breaker(fakeBreaker);
      breaker.stop();
      breaker = fresh;
      await jest.advanceTimersByTimeAsync(failedMs);
      await send(...times(4, 'failure' as const), 'success');
      await jest.advanceTimersByTimeAsync(againMs - failedMs);
      await send('failure');
      expect(breaker.state).toBe(state);
    }
  });

  describe('tells the request that opened it', () => {
    const openedBy: string[] = [];
    const fail = async (name: string): Promise<void> => {
      breaker.end(breaker.begin(), 'failure', 'ENGINE_FAULT', (why) => openedBy.push(`${name}: ${why}`));
      await jest.advanceTimersByTimeAsync(0);
    };

    beforeEach(() => void openedBy.splice(0));

    it('by its share of failures', async () => {
      for (const name of ['1', '2', '3', '4', '5', '6']) await fail(name);
      expect(openedBy).toEqual(['5: 5 of 5 requests failed within 10000 ms, the last with ENGINE_FAULT']);
    });

    it('by failures in a row', async () => {
      await send(...times(1_000, 'success' as const));
      for (const name of ['1', '2', '3', '4']) await fail(name);
      await jest.advanceTimersByTimeAsync(100);
      await fail('5');
      expect(openedBy).toEqual(['5: 5 requests in a row failed, the last with ENGINE_FAULT']);
    });

    it('by its probe', async () => {
      breaker.trip('away');
      await jest.advanceTimersByTimeAsync(500);
      await fail('probe');
      expect(openedBy).toEqual(['probe: the request that tried failed with ENGINE_FAULT']);
    });

    it('but no request if its engine was lost', async () => {
      await fail('1');
      breaker.trip('away');
      expect(openedBy).toEqual([]);
    });
  });

  it('names the share of failures after it was open for another reason', async () => {
    breaker.trip('away');
    await jest.advanceTimersByTimeAsync(500);
    await send('success', ...times(5, 'failure' as const));
    expect(events.at(-1)?.why).toBe('5 of 5 requests failed within 10000 ms, the last with ENGINE_FAULT');
  });

  it('opens at once if its engine is down', () => {
    breaker.trip('connection refused');
    expect([breaker.state, events[0]?.why]).toEqual(['OPEN', 'connection refused']);
  });

  it('keeps a limited number of events', async () => {
    for (let n = 0; n < 40; n += 1) {
      breaker.trip('away');
      await jest.advanceTimersByTimeAsync(500);
      await send('success');
      await jest.advanceTimersByTimeAsync(2_000);
    }
    expect([events.length, breaker.events.length, breaker.events.at(-1)?.state]).toEqual([120, 32, 'CLOSED']);
  });

  it.each([
    [50, 4, 4],
    [100, 0, 5],
    [30, 7, 3],
    [7, 93, 7],
  ])('opens at exactly %d %%', async (failurePercent, successes, failures) => {
    const exact = new Breaker({ ...fakeBreaker, failurePercent });
    breaker.stop();
    breaker = exact;
    await send(...times(successes, 'success' as const), ...times(failures - 1, 'failure' as const));
    expect(breaker.state).toBe('CLOSED');
    await send('failure');
    expect(breaker.state).toBe('OPEN');
  });

  it('ignores requests before a recovery', async () => {
    await send(...times(100, 'failure' as const));
    await jest.advanceTimersByTimeAsync(500);
    await send('success', ...times(4, 'failure' as const));
    expect(breaker.state).toBe('CLOSED');
    await send('failure');
    expect(events.at(-1)?.why).toBe('5 of 5 requests failed within 10000 ms, the last with ENGINE_FAULT');
  });
});
