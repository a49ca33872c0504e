import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Strategy } from '../../services/generated/tandem/v1/types.ts';
import { SlowLink } from '../fakes/slow-link.ts';
import { readHeldout } from '../support/heldout.ts';
import { type LoadResult, closedLoad } from '../support/load.ts';
import { type RunningSidecar, startSidecar } from '../support/sidecar.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';
import { Operator } from '../support/operator.ts';
import { SUPERSENSE } from '../support/models.ts';

const inputs = readHeldout();

let system: System;
let sidecars: RunningSidecar[];

beforeAll(async () => {
  sidecars = await Promise.all([1, 2, 3].map(() => startSidecar(SUPERSENSE)));
});

afterAll(async () => {
  await Promise.all(sidecars.map((sidecar) => sidecar.stop()));
});

afterEach(async () => {
  await system.stop();
});

/**
 * A router with the first `count` sidecars, engine-1 and so on. Only the engine of the strategy is asked, however slow a busy
 * machine makes it.
 */
async function start(count: number, over: Record<string, unknown> = {}): Promise<void> {
  system = await startSystem({
    local: { enabled: false },
    cache: { enabled: false },
    sidecars: sidecars.slice(0, count).map(({ address }, at) => ({ id: `engine-${at + 1}`, address })),
    spawn: { count: 0 },
    retry: { budget_percent: 0 },
    ...over,
  });
}

/** The outcomes of 1,000 requests, eight at a time. */
async function thousand(strategy: Strategy): Promise<LoadResult> {
  const result = await closedLoad({ system, inputs, request: { strategy }, total: 1_000, inFlight: 8 }).finished;
  expect(result.failed).toEqual([]);
  return result;
}

describe('1,000 requests', () => {
  it('by ROUND_ROBIN over two engines are 500 for each', async () => {
    await start(2);
    const { perEngine } = await thousand(Strategy.STRATEGY_ROUND_ROBIN);
    expect(perEngine).toEqual({ 'engine-1': 500, 'engine-2': 500 });
  });

  it('by LOCAL_FIRST are 800 for the local engine and 100 for each of two sidecars, within 1 %', async () => {
    await start(2, { local: { enabled: true } });
    const { perEngine } = await thousand(Strategy.STRATEGY_LOCAL_FIRST);
    expect(Math.abs(perEngine['local']! - 800)).toBeLessThanOrEqual(8);
    for (const id of ['engine-1', 'engine-2']) expect(Math.abs(perEngine[id]! - 100)).toBeLessThanOrEqual(1);
  });

  it('by SIDECAR_FIRST are 400 for each of two sidecars and 200 for the local engine, within 1 %', async () => {
    await start(2, { local: { enabled: true } });
    const { perEngine } = await thousand(Strategy.STRATEGY_SIDECAR_FIRST);
    expect(Math.abs(perEngine['local']! - 200)).toBeLessThanOrEqual(2);
    for (const id of ['engine-1', 'engine-2']) expect(Math.abs(perEngine[id]! - 400)).toBeLessThanOrEqual(4);
  });
});

describe('FASTEST', () => {
  const request = { strategy: Strategy.STRATEGY_FASTEST };
  let links: SlowLink[];

  // Both behind a link, so that they are equally fast while no link is slow: otherwise the faster one may get all
  // requests.
  beforeEach(async () => {
    links = await Promise.all(sidecars.slice(0, 2).map(({ address }) => new SlowLink(address).start()));
    await start(0, { sidecars: links.map(({ address }, at) => ({ id: `engine-${at + 1}`, address })) });
  });

  afterEach(() => {
    for (const link of links) link.cut();
  });

  it('sends under 10 % of 1,000 requests to an engine that is five times slower, or 20 ms', async () => {
    const usual = await closedLoad({ system, inputs, request, total: 200, inFlight: 2 }).finished;
    links[1]!.delayMs = Math.max(20, 5 * usual.percentileMs(50));
    const { failed, perEngine } = await closedLoad({ system, inputs, request, total: 1_000, inFlight: 2 }).finished;
    expect(failed).toEqual([]);
    expect(perEngine['engine-2'] ?? 0).toBeLessThan(100);
  });

  it('sends it a quarter of them again within 5 s of its recovery', async () => {
    const answeredBy: string[] = [];
    const watched: Pick<System, 'reason'> = {
      reason: async (...call) => {
        const answer = await system.reason(...call);
        answeredBy.push(answer.engine?.engineId ?? '');
        return answer;
      },
    };
    const shareOfLatest = (): number => answeredBy.slice(-100).filter((id) => id === 'engine-2').length / 100;
    links[1]!.delayMs = 20;
    const load = closedLoad({ system: watched, inputs, request, total: Infinity, inFlight: 4 });
    await until(() => answeredBy.length >= 500 && shareOfLatest() < 0.1, { what: 'it to get fewer requests' });

    links[1]!.delayMs = 0;
    const recoveredMs = performance.now();
    await until(() => shareOfLatest() >= 0.25, { what: 'a quarter of the latest 100', timeoutMs: 10_000 }).finally(() =>
      load.stop(),
    );
    expect(performance.now() - recoveredMs).toBeLessThan(5_000);
    expect((await load.finished).failed).toEqual([]);
  });
});

describe('AFFINITY', () => {
  /** The engine that is asked first for each input, in order. On a busy machine it may time out. */
  async function answerers(): Promise<string[]> {
    const { requests } = await closedLoad({
      system,
      inputs,
      request: { strategy: Strategy.STRATEGY_AFFINITY },
      total: inputs.length,
      inFlight: 1, // an engine without a free slot is skipped
    }).finished;
    return requests.toSorted((a, b) => a.input - b.input).map(({ attempts }) => attempts[0]?.engineId ?? '');
  }

  it('sends equal inputs to the same engine, and different ones to all', async () => {
    await start(3);
    const first = await answerers();
    expect(await answerers()).toEqual(first);
    const fair = inputs.length / 3;
    for (const id of ['engine-1', 'engine-2', 'engine-3']) {
      expect(Math.abs(first.filter((each) => each === id).length - fair)).toBeLessThan(fair / 2);
    }
  });

  it('does so on another router with the same engines in another order', async () => {
    await start(3);
    const first = await answerers();
    await system.stop();
    const reversed = sidecars.map(({ address }, at) => ({ id: `engine-${at + 1}`, address })).reverse();
    await start(3, { sidecars: reversed });
    expect(await answerers()).toEqual(first);
  });

  it('moves only the inputs of a removed engine, and moves them back when it returns', async () => {
    await start(3);
    const operator = new Operator(system.adminAddress);
    const before = await answerers();
    await operator.remove('engine-2');
    const without = await answerers();
    const moved = before.flatMap((id, at) => (id === 'engine-2' ? [without[at]] : []));
    expect(without.filter((_, at) => before[at] !== 'engine-2')).toEqual(before.filter((id) => id !== 'engine-2'));
    expect(new Set(moved)).toEqual(new Set(['engine-1', 'engine-3']));
    await operator.register('engine-2', sidecars[1]!.address);
    expect(await answerers()).toEqual(before);
    operator.close();
  });
});
