import { afterEach, describe, expect, it } from '@jest/globals';
import { type AgentsOver, type AgentsUnderTest, LIMITS, agentsOver, asker } from '../../../test/fakes/agent-parts.ts';
import { RouterError } from '../../core/errors.ts';
import { CostTally } from './cost-tally.ts';
import { type Provider, ProviderFailure, type ProviderReply, type ProviderRequest } from './provider.ts';

const REQUEST: ProviderRequest = { instructions: 'x', data: 'y', schema: { name: 's', json: {} } };
const USAGE = { promptTokens: 10, completionTokens: 5 };
/** What REQUEST can take at most: 5 bytes and the frame, and the longest answer. */
const MOST = { promptTokens: 133, completionTokens: 100 };

let open: AgentsUnderTest[] = [];

afterEach(() => {
  for (const each of open) each.stop();
  open = [];
});

function over(complete: Provider['complete'], options: AgentsOver = {}): AgentsUnderTest {
  const made = agentsOver({ model: 'm', maxCompletionTokens: 100, complete }, options);
  open.push(made);
  return made;
}

const reply = (usage: ProviderReply['usage']): Promise<ProviderReply> => Promise.resolve({ content: 'ok', usage });
const never = (_request: ProviderRequest, signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

describe('GuardedProvider', () => {
  it('counts what an answer took, for its caller', async () => {
    const { guarded, counts, budget } = over(() => reply(USAGE));
    const tally = new CostTally('m');
    expect(await guarded.ask(REQUEST, asker('ann'), tally)).toBe('ok');
    expect(tally.cost).toEqual({ model: 'm', calls: 1, ...USAGE, usd: 60e-6, isUpperBound: false });
    expect(counts.snapshot().callers).toEqual([{ caller: 'ann', requests: 1, ...USAGE, usd: 60e-6 }]);
    expect(budget.used).toEqual(USAGE);
  });

  it('counts the most that there can have been where the provider does not say', async () => {
    const { guarded, budget } = over(() => reply(undefined));
    const tally = new CostTally('m');
    await guarded.ask(REQUEST, asker(), tally);
    expect(tally.cost).toMatchObject({ ...MOST, isUpperBound: true });
    expect(budget.used).toEqual(MOST);
  });

  it('tries again where that may help, within the retries, and counts every attempt', async () => {
    let calls = 0;
    const { guarded } = over(
      () => {
        calls += 1;
        if (calls > 1) return reply(USAGE);
        return Promise.reject(new ProviderFailure('PROVIDER_ERROR', 'busy', { isRetryable: true }));
      },
      { guard: { maxRetries: 1 } },
    );
    const tally = new CostTally('m');
    expect(await guarded.ask(REQUEST, asker(), tally)).toBe('ok');
    expect(tally.cost).toMatchObject({ calls: 2, ...USAGE });
  });

  it.each([
    ['may not pass', { isRetryable: false }],
    ['would pass only after the deadline', { isRetryable: true, retryAfterMs: 3_600_000 }],
  ])('does not try again after a failure that %s', async (_what, failure) => {
    let calls = 0;
    const { guarded } = over(
      () => {
        calls += 1;
        return Promise.reject(new ProviderFailure('PROVIDER_ERROR', 'no', failure));
      },
      { guard: { maxRetries: 3 } },
    );
    await expect(guarded.ask(REQUEST, asker(), new CostTally('m'))).rejects.toMatchObject({ reason: 'PROVIDER_ERROR' });
    expect(calls).toBe(1);
  });

  it('gives up at its own time-out, and charges the most', async () => {
    const { guarded, budget } = over(never, { guard: { timeoutMs: 5 } });
    await expect(guarded.ask(REQUEST, asker(), new CostTally('m'))).rejects.toMatchObject({
      reason: 'TIMEOUT',
      message: 'no answer within agents.provider.timeout_ms',
    });
    expect(budget.used).toEqual(MOST);
  });

  it('gives up before the caller’s deadline, so that there is time for another answer', async () => {
    const { guarded } = over(never);
    const who = asker('ann', 80);
    await expect(guarded.ask(REQUEST, who, new CostTally('m'))).rejects.toMatchObject({ reason: 'TIMEOUT' });
  });

  it('does not ask where there is no time at all', async () => {
    let calls = 0;
    const { guarded } = over(() => {
      calls += 1;
      return reply(USAGE);
    });
    await expect(guarded.ask(REQUEST, asker('ann', 10), new CostTally('m'))).rejects.toMatchObject({
      reason: 'TIMEOUT',
    });
    expect(calls).toBe(0);
  });

  it('stops with a caller who leaves, throws why, and charges the most', async () => {
    const who = asker();
    const { guarded, budget } = over((request, signal) => {
      setImmediate(() => who.cancel.abort(new RouterError('CANCELLED', 'gone')));
      return never(request, signal);
    });
    await expect(guarded.ask(REQUEST, who, new CostTally('m'))).rejects.toMatchObject({ kind: 'CANCELLED' });
    expect(budget.used).toEqual(MOST);
  });

  it('does not ask a provider that failed often', async () => {
    let calls = 0;
    const { guarded } = over(
      () => {
        calls += 1;
        return Promise.reject(new ProviderFailure('UNREACHABLE', 'gone'));
      },
      { breaker: { minRequests: 3 } },
    );
    for (let round = 0; round < 3; round += 1) {
      await expect(guarded.ask(REQUEST, asker(), new CostTally('m'))).rejects.toMatchObject({ reason: 'UNREACHABLE' });
    }
    await expect(guarded.ask(REQUEST, asker(), new CostTally('m'))).rejects.toMatchObject({ reason: 'BREAKER_OPEN' });
    expect(calls).toBe(3);
  });

  it.each(['MALFORMED', 'DECLINED'] as const)('asks again a provider that answers %s: it is there', async (reason) => {
    const { guarded } = over(() => Promise.reject(new ProviderFailure(reason, 'useless', { isBilled: true })), {
      breaker: { minRequests: 1 },
    });
    for (let round = 0; round < 3; round += 1) {
      await expect(guarded.ask(REQUEST, asker(), new CostTally('m'))).rejects.toMatchObject({ reason });
    }
  });

  it('has no more calls under way than it may', async () => {
    const { guarded } = over(never, { guard: { maxInFlight: 2, timeoutMs: 50 } });
    const answers = [1, 2, 3].map(() => guarded.ask(REQUEST, asker(), new CostTally('m')));
    const reasons = await Promise.all(
      answers.map((each) => each.catch((error: unknown) => (error as ProviderFailure).reason)),
    );
    expect(reasons).toEqual(['TIMEOUT', 'TIMEOUT', 'BUSY']);
  });

  it('never passes a budget in 1,000 calls at once, and refuses no call that fits', async () => {
    const tokens = 100 * (MOST.promptTokens + MOST.completionTokens);
    let mostUsed = 0;
    let inFlight = 0;
    const under = over(
      async () => {
        inFlight += 1;
        await new Promise(setImmediate);
        const { promptTokens, completionTokens } = under.budget.used;
        mostUsed = Math.max(mostUsed, promptTokens + completionTokens);
        inFlight -= 1;
        return { content: 'ok', usage: MOST };
      },
      { limits: { tokens, callerTokens: tokens } },
    );
    const callers = ['ann', 'bob', 'eve'];
    const answers = Array.from({ length: 1_000 }, (_, k) =>
      under.guarded
        .ask(REQUEST, asker(callers[k % 3]), new CostTally('m'))
        .catch((error: unknown) => (error as ProviderFailure).reason),
    );
    const outcomes = await Promise.all(answers);
    expect(outcomes.filter((each) => each === 'ok')).toHaveLength(100);
    expect(outcomes.filter((each) => each === 'BUDGET')).toHaveLength(900);
    expect([mostUsed, inFlight]).toEqual([tokens, 0]);
    expect(LIMITS.tokens).toBeGreaterThan(tokens);
  });

  it('holds each caller to its own budget in 1,000 calls at once', async () => {
    const callerTokens = 10 * (MOST.promptTokens + MOST.completionTokens);
    const { guarded, counts } = over(
      async () => {
        await new Promise(setImmediate);
        return { content: 'ok', usage: MOST };
      },
      { limits: { callerTokens } },
    );
    const callers = Array.from({ length: 10 }, (_, k) => `caller-${k}`);
    await Promise.allSettled(
      Array.from({ length: 1_000 }, (_, k) => guarded.ask(REQUEST, asker(callers[k % 10]), new CostTally('m'))),
    );
    for (const { promptTokens, completionTokens } of counts.snapshot().callers) {
      expect(promptTokens + completionTokens).toBe(callerTokens);
    }
  });
});
