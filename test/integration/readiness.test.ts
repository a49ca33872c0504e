import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ReasonResponse } from '../../services/generated/tandem/v1/reasoning.ts';
import { Grade, Strategy } from '../../services/generated/tandem/v1/types.ts';
import { readHeldout } from '../support/heldout.ts';
import { type LoadRequest, closedLoad } from '../support/load.ts';
import { refusalOf } from '../support/refusal.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';
import { Fleet } from './router-table/fleet.ts';

const inputs = readHeldout();
const IDS = ['one', 'two', 'three'] as const;

let fleet: Fleet<(typeof IDS)[number]>;
let system: System;

beforeAll(async () => {
  fleet = await Fleet.start(IDS);
});

afterAll(async () => {
  await fleet.stop();
});

afterEach(async () => {
  fleet.behave();
  await system.stop();
});

async function start(over: Record<string, unknown> = {}): Promise<void> {
  system = await startSystem({
    local: { enabled: false },
    cache: { enabled: false },
    sidecars: fleet.settings,
    spawn: { count: 0 },
    ...over,
  });
}

describe('an engine that returns under load', () => {
  const WINDOW_MS = 400;

  /** Its share of the requests just after its return, and long after `slow_start_ms` of 1,000. */
  async function shares(over: Record<string, unknown>): Promise<[first: number, later: number]> {
    await start({ slow_start_ms: 1_000, ...over });
    const load = closedLoad({ system, inputs, total: Infinity, inFlight: 16 });
    const two = system.pool.find('two');
    await fleet.sidecar('two').kill();
    await until(() => two.state === 'DOWN', { what: 'the router to notice' });
    await until(() => two.breaker.state !== 'OPEN', { what: 'its breaker to let a request try' });
    await fleet.restart('two');
    await until(() => two.state === 'READY', { what: 'its return' });
    const backMs = performance.now();
    const laterMs = backMs + 1_200;
    await until(() => performance.now() > laterMs, { what: 'the time to pass' });
    const startedBefore = load.started;
    // A busy machine may send none for a while.
    await until(() => performance.now() > laterMs + WINDOW_MS && load.started >= startedBefore + 60, {
      what: 'enough requests',
    });
    const { failed, requests } = await load.stop();
    expect(failed).toEqual([]);
    const within = (fromMs: number, toMs: number): LoadRequest[] =>
      requests.filter(({ startMs }) => startMs >= fromMs && startMs < toMs);
    const result = [within(backMs, backMs + WINDOW_MS), within(laterMs, Infinity)].map((each) =>
      shareOf('two', each),
    ) as [number, number];
    if (process.env['FIGURES']) process.stderr.write(`shares ${result.map((each) => each.toFixed(3)).join(', ')}\n`);
    return result;
  }

  /** Counts first attempts: on a busy machine an attempt may time out, and another engine answers. */
  const shareOf = (id: string, requests: readonly LoadRequest[]): number =>
    requests.filter(({ attempts }) => attempts[0]?.engineId === id).length / requests.length;

  it('gets its share of a third gradually', async () => {
    const [first, later] = await shares({});
    expect(first).toBeLessThan(0.2);
    expect(later).toBeGreaterThan(0.3);
  });

  it('gets its share at once if slow_start_ms is 0', async () => {
    const [first] = await shares({ slow_start_ms: 0 });
    expect(first).toBeGreaterThan(0.25); // on a busy machine the window has only a few dozen requests
  });
});

describe('if every breaker is open although every engine works again', () => {
  beforeEach(async () => {
    await start({ breaker: { min_requests: 1, reset_ms: 60_000 } });
    for (const id of IDS) system.pool.find(id).breaker.trip('a false alarm');
  });

  const ask = (strategy: Strategy = Strategy.STRATEGY_ROUND_ROBIN): Promise<ReasonResponse> =>
    system.reason({ tensor: { shape: [768], dtype: 'FP32', data: inputs[0]!.data }, strategy });

  it('requests are answered by each engine in turn', async () => {
    const answers = [await ask(), await ask(), await ask()];
    expect(answers.map(({ engine }) => engine?.engineId)).toEqual([...IDS]);
    expect(system.pool.engines.map(({ breaker }) => breaker.state)).toEqual(['OPEN', 'OPEN', 'OPEN']);
  });

  it('the next engine is asked when one fails', async () => {
    fleet.front('one').failWith = 'ENGINE_FAULT';
    expect((await ask()).attempts.map(({ engineId, outcome }) => `${engineId} ${outcome}`)).toEqual([
      'one ENGINE_FAULT',
      'two OK',
    ]);
  });

  it('votes are held', async () => {
    expect((await ask(Strategy.STRATEGY_REDUNDANT)).grade).toBe(Grade.GRADE_UNANIMOUS);
  });

  it('a draining engine is still not asked', async () => {
    system.pool.setDraining(system.pool.find('one'), true);
    const answers = [await ask(), await ask()];
    expect(answers.map(({ engine }) => engine?.engineId).sort()).toEqual(['three', 'two']);
  });

  it('no engine answers if panic_percent is 0', async () => {
    await system.stop();
    await start({ breaker: { reset_ms: 60_000 }, panic_percent: 0 });
    for (const id of IDS) system.pool.find(id).breaker.trip('a false alarm');
    expect(await refusalOf(ask())).toMatchObject({ reason: 'NO_ENGINE' });
  });
});
