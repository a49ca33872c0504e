import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeEngine, fakeInference, fakeModel, fakePins } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../test/fakes/fake-parts.ts';
import { RouterError } from '../core/errors.ts';
import { fastest } from '../strategies/fastest.ts';
import { PooledEngine } from './pooled-engine.ts';

const input = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };
const ANSWER_MS = 2;
/** The request is cancelled after this time, as if another engine had been faster. */
const CANCEL_MS = 6;
const REQUESTS = 3_000;

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const behaviours: Record<string, FakeEngine['behaviour']> = {
  honest: async () => {
    await after(ANSWER_MS);
    return fakeInference();
  },
  refuses: () => Promise.reject(new RouterError('NON_FINITE', 'on purpose')),
  full: () => Promise.reject(new RouterError('ENGINE_FULL', 'on purpose')),
  malformed: () => Promise.resolve(fakeInference({ spikeCounts: [] })),
  hangs: (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(RouterError.from(signal.reason)), { once: true });
    }),
};

function engine(behaviour: string): PooledEngine {
  const fake = new FakeEngine(behaviour).up(fakeModel());
  fake.behaviour = behaviours[behaviour]!;
  // A breaker would hide the effect of the engine’s speed.
  return new PooledEngine(fake, fakePins, { ...fakeBreaker, minRequests: 1e9 }, () => undefined);
}

/** Returns the share of requests that FASTEST sends to each engine first; each of `clients` sends one after the other. */
async function sharesOf(engines: readonly PooledEngine[], clients: number): Promise<Record<string, number>> {
  const firsts: Record<string, number> = {};
  let turn = 0;
  const send = async (): Promise<void> => {
    while (turn < REQUESTS) {
      const unused = { localFirstShare: 0, sidecarFirstShare: 0, questionHash: () => 0n };
      const [first] = fastest({ engines, turn, random: Math.random, ...unused });
      turn += 1;
      firsts[first!.id] = (firsts[first!.id] ?? 0) + 1;
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(new RouterError('CANCELLED', 'another was faster')), CANCEL_MS);
      await first!.infer(input, { deadlineMs: Infinity, signal: controller.signal }).catch(() => undefined);
      clearTimeout(timer);
      await after(0.1);
    }
  };
  const sending = Promise.all(Array.from({ length: clients }, send));
  while (turn < REQUESTS) await jest.advanceTimersByTimeAsync(1);
  await jest.advanceTimersByTimeAsync(100);
  await sending;
  return Object.fromEntries(engines.map(({ id }) => [id, (firsts[id] ?? 0) / REQUESTS]));
}

describe.each([1, 8])('FASTEST, for %d clients,', (clients) => {
  it.each(['refuses', 'full', 'malformed', 'hangs'])(
    'sends few requests to an engine that %s, but retries it',
    async (bad) => {
      const shares = await sharesOf([engine(bad), engine('honest')], clients);
      expect(shares[bad]).toBeLessThanOrEqual(0.06);
      expect(shares[bad]).toBeGreaterThan(1 / REQUESTS);
    },
  );

  it('sends few requests to two engines that fail in different ways', async () => {
    const shares = await sharesOf([engine('refuses'), engine('hangs'), engine('honest')], clients);
    expect(shares['honest']).toBeGreaterThanOrEqual(0.94);
  });
});
