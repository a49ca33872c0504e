import { afterEach, describe, expect, it } from '@jest/globals';
import { type AgentsOver, type AgentsUnderTest, LIMITS, agentsOver, asker } from '../../../test/fakes/agent-parts.ts';
import { RouterError } from '../../core/errors.ts';
import { CostTally } from './cost-tally.ts';
import { type Provider, ProviderFailure, type ProviderReply, type ProviderRequest } from './provider.ts';

const REQUEST: ProviderRequest = { instructions: 'x', data: 'y', schema: { name: 's', json: {} } };
const USAGE = { promptTokens: 10, completionTokens: 5 };
/** The maximum for REQUEST: 5 bytes plus the overhead, and the longest answer. */
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
  it('counts the usage of an answer for its caller', async () => {
    const { guarded, counts, budget } = over(() => reply(USAGE));
    const tally = new CostTally('m');
    expect(await guarded.ask(REQUEST, asker('ann'), tally)).toBe('ok');
    expect(tally.cost).toEqual({ model: 'm', calls: 1, ...USAGE, usd: 60e-6, isUpperBound: false });
    expect(counts.snapshot().callers).toEqual([{ caller: 'ann', requests: 1, ...USAGE, usd: 60e-6 }]);
    expect(budget.used).toEqual(USAGE);
  });

  it('counts the maximum if the provider reports no usage', async () => {
    const { guarded, budget } = over(() => reply(undefined));
    const tally = new CostTally('m');
    await guarded.ask(REQUEST, asker(), tally);
    expect(tally.cost).toMatchObject({ ...MOST, isUpperBound: true });
    expect(budget.used).toEqual(MOST);
  });

  it('retries a retryable failure within the limit and counts every attempt', async () => {
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
    ['is not retryable', { isRetryable: false }],
    ['is retryable only after the deadline', { isRetryable: true, retryAfterMs: 3_600_000 }],
  ])('does not retry after a failure that %s', async (_what, failure) => {
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

  it('ends with TIMEOUT after its own timeout and charges the maximum', async () => {
    const { guarded, budget } = over(never, { guard: { timeoutMs: 5 } });
    await expect(guarded.ask(REQUEST, asker(), new CostTally('m'))).rejects.toMatchObject({
      reason: 'TIMEOUT',
      message: 'no answer within agents.provider.timeout_ms',
    });
    expect(budget.used).toEqual(MOST);
  });

  it('ends before the deadline of the caller, to leave time for the rules', async () => {
    const { guarded } = over(never);
    const who = asker('ann', 80);
    await expect(guarded.ask(REQUEST, who, new CostTally('m'))).rejects.toMatchObject({ reason: 'TIMEOUT' });
  });

  it('does not call the provider if no time is left', async () => {
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

  it('ends with CANCELLED when the caller leaves, and charges the maximum', async () => {
    const who = asker();
    const { guarded, budget } = over((request, signal) => {
      setImmediate(() => who.cancel.abort(new RouterError('CANCELLED', 'gone')));
      return never(request, signal);
    });
    await expect(guarded.ask(REQUEST, who, new CostTally('m'))).rejects.toMatchObject({ kind: 'CANCELLED' });
    expect(budget.used).toEqual(MOST);
  });

  it('does not call a provider whose breaker is open', async () => {
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

  it.each(['MALFORMED', 'DECLINED'] as const)('does not open the breaker for %s answers', async (reason) => {
    const { guarded } = over(() => Promise.reject(new ProviderFailure(reason, 'useless', { isBilled: true })), {
      breaker: { minRequests: 1 },
    });
    for (let round = 0; round < 3; round += 1) {
      await expect(guarded.ask(REQUEST, asker(), new CostTally('m'))).rejects.toMatchObject({ reason });
    }
  });

  it('limits the calls in flight', async () => {
    const { guarded } = over(never, { guard: { maxInFlight: 2, timeoutMs: 50 } });
    const answers = [1, 2, 3].map(() => guarded.ask(REQUEST, asker(), new CostTally('m')));
    const reasons = await Promise.all(
      answers.map((each) => each.catch((error: unknown) => (error as ProviderFailure).reason)),
    );
    expect(reasons).toEqual(['TIMEOUT', 'TIMEOUT', 'BUSY']);
  });

  it('never exceeds the budget in 1,000 parallel calls and refuses no call that fits', async () => {
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

  it('limits each caller to its own budget in 1,000 parallel calls', async () => {
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
