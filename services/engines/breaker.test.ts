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

/** Sends requests one after the other and tells what became of them. */
async function send(...outcomes: ('success' | 'failure' | 'ignore')[]): Promise<void> {
  for (const outcome of outcomes) {
    breaker.end(breaker.begin(), outcome, outcome === 'failure' ? 'ENGINE_FAULT' : 'OK');
    await jest.advanceTimersByTimeAsync(0);
  }
}

const times = <T>(n: number, value: T): T[] => Array<T>(n).fill(value);

describe('a breaker', () => {
  it('stays closed on successes', async () => {
    await send(...times(100, 'success' as const));
    expect([breaker.state, breaker.allowsRequest]).toEqual(['CLOSED', true]);
  });

  it('opens when half or more of at least five requests fail, and says why', async () => {
    await send('success', 'success', 'failure', 'failure');
    expect(breaker.state).toBe('CLOSED');
    await send('failure');
    expect([breaker.state, breaker.allowsRequest]).toEqual(['OPEN', false]);
    expect(events.map(({ state, why }) => [state, why])).toEqual([
      ['OPEN', '3 of 5 requests failed within 10000 ms, the last with ENGINE_FAULT'],
    ]);
  });

  it('forgets failures that are older than its window', async () => {
    await send('failure', 'failure', 'failure', 'failure');
    await jest.advanceTimersByTimeAsync(11_000);
    await send('failure');
    expect(breaker.state).toBe('CLOSED');
  });

  it('opens when five requests in a row fail over 100 ms, however many were answered before', async () => {
    await send(...times(1_000, 'success' as const), ...times(4, 'failure' as const));
    await jest.advanceTimersByTimeAsync(100);
    expect(breaker.state).toBe('CLOSED');
    await send('failure');
    expect(events.map(({ why }) => why)).toEqual(['5 requests in a row failed, the last with ENGINE_FAULT']);
  });

  it('stays closed when requests in a row fail at the same moment, or with an answer between them', async () => {
    await send(...times(1_000, 'success' as const), ...times(20, 'failure' as const), 'success');
    await jest.advanceTimersByTimeAsync(100);
    await send(...times(4, 'failure' as const), 'success', ...times(4, 'failure' as const));
    expect(breaker.state).toBe('CLOSED');
  });

  it('never moves for failures that are not the engine’s fault', async () => {
    await send(...times(10_000, 'ignore' as const));
    expect([breaker.state, events]).toEqual(['CLOSED', []]);
  });

  describe('that has opened', () => {
    beforeEach(async () => {
      await send(...times(5, 'failure' as const));
      await jest.advanceTimersByTimeAsync(499);
      expect(breaker.allowsRequest).toBe(false);
      await jest.advanceTimersByTimeAsync(1);
    });

    it('lets one request try after its reset time, and no second one beside it', () => {
      expect([breaker.state, breaker.allowsRequest]).toEqual(['HALF_OPEN', true]);
      breaker.begin();
      expect(breaker.allowsRequest).toBe(false);
    });

    it('closes when that one is answered', async () => {
      await send('success');
      expect([breaker.state, breaker.allowsRequest]).toEqual(['CLOSED', true]);
      expect(events.map(({ state }) => state)).toEqual(['OPEN', 'HALF_OPEN', 'CLOSED']);
    });

    it('opens again when it fails, for twice as long', async () => {
      await send('failure');
      expect(breaker.state).toBe('OPEN');
      await jest.advanceTimersByTimeAsync(999);
      expect(breaker.allowsRequest).toBe(false);
      await jest.advanceTimersByTimeAsync(1);
      expect(breaker.allowsRequest).toBe(true);
    });

    it('stays open for 16 times as long at most', async () => {
      for (let n = 0; n < 10; n += 1) {
        await send('failure');
        await jest.advanceTimersByTimeAsync(8_000);
        expect(breaker.allowsRequest).toBe(true);
      }
      await send('failure');
      await jest.advanceTimersByTimeAsync(7_999);
      expect(breaker.allowsRequest).toBe(false);
    });

    it('stays open for twice as long when it opens again soon after it has closed, and for as long as at first later', async () => {
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

    it('stays open for no longer when the connection was lost again', async () => {
      await send('success');
      breaker.trip('away again');
      await jest.advanceTimersByTimeAsync(500);
      expect(breaker.allowsRequest).toBe(true);
    });

    it('stays open for longer each time where the engine breaks the protocol, however well the one that tries ends', async () => {
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
      await jest.advanceTimersByTimeAsync(32_000);
      breaker.trip('the connection was lost');
      await jest.advanceTimersByTimeAsync(500);
      expect(breaker.allowsRequest).toBe(true);
    });

    it('lets another one try when nothing was learned from it', async () => {
      await send('ignore');
      expect([breaker.state, breaker.allowsRequest]).toEqual(['HALF_OPEN', true]);
    });

    it('does not count what was sent before', async () => {
      const early = { isProbe: false };
      breaker.end(early, 'success', 'OK');
      await jest.advanceTimersByTimeAsync(0);
      expect(breaker.state).toBe('HALF_OPEN');
    });
  });

  it('opens at once when its engine is known to be away', () => {
    breaker.trip('connection refused');
    expect([breaker.state, events[0]?.why]).toEqual(['OPEN', 'connection refused']);
  });

  it('keeps a bounded history', async () => {
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

  it('begins anew after a recovery: what was before does not count', async () => {
    await send(...times(100, 'failure' as const));
    await jest.advanceTimersByTimeAsync(500);
    await send('success', ...times(4, 'failure' as const));
    expect(breaker.state).toBe('CLOSED');
    await send('failure');
    expect(events.at(-1)?.why).toBe('5 of 5 requests failed within 10000 ms, the last with ENGINE_FAULT');
  });
});
