import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Strategy } from '../../services/generated/tandem/v1/types.ts';
import { Health } from '../support/health.ts';
import { Operator } from '../support/operator.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';
import { Fleet } from './router-table/fleet.ts';

const IDS = ['one', 'two', 'three'] as const;

let fleet: Fleet<(typeof IDS)[number]>;
let system: System;
let health: Health;

beforeAll(async () => {
  fleet = await Fleet.start(IDS);
});

afterAll(async () => {
  await fleet.stop();
});

afterEach(async () => {
  health.close();
  await system.stop();
});

async function start(over: Record<string, unknown> = {}): Promise<void> {
  const spawn = { count: 0 };
  system = await startSystem({ local: { enabled: false }, sidecars: fleet.settings, spawn, ...over });
  health = new Health(system.address);
}

async function readyz(): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://${system.httpAddress}/readyz`);
  return { status: response.status, text: await response.text() };
}

const VOTES = { strategy: 'REDUNDANT', vote: { participants: 3, agreement: 'UNANIMOUS' } };

describe('a router with a vote that needs three engines', () => {
  it('is ready with three, and not with two: health, its watchers and /readyz agree, and give the reason', async () => {
    await start(VOTES);
    const said = [health.watch(), health.watch('tandem.v1.ReasoningService')];
    await until(() => said.every(([first]) => first === 'SERVING'), { what: 'the first word' });
    expect(await readyz()).toEqual({ status: 200, text: '3 of 3 engines ready for supersense/1\n' });

    await fleet.sidecar('two').kill();
    const words = (): string[] => said.map((each) => each.join(' '));
    await until(() => words().every((each) => each === 'SERVING NOT_SERVING'), { what: 'watchers to get it' });
    expect([await health.check(), await health.check('tandem.v1.ReasoningService')]).toEqual([
      'NOT_SERVING',
      'NOT_SERVING',
    ]);
    expect(await readyz()).toEqual({
      status: 503,
      text: expect.stringMatching(/^2 of 3 engines ready .* needs 3: two: down: .*npx tandem engines/) as unknown,
    });

    await fleet.restart('two');
    const all = 'SERVING NOT_SERVING SERVING';
    await until(() => words().every((each) => each === all), { what: 'watchers to get its return' });
  });

  it('is not ready while one of them drains, or is in quarantine', async () => {
    await start(VOTES);
    const three = system.pool.find('three');
    system.pool.setDraining(three, true);
    expect([await health.check(), (await readyz()).text]).toEqual([
      'NOT_SERVING',
      expect.stringContaining('three: draining'),
    ]);
    system.pool.setDraining(three, false);
    expect(await health.check()).toBe('SERVING');
    system.pool.setQuarantine(three, 'it lies');
    expect([await health.check(), (await readyz()).text]).toEqual([
      'NOT_SERVING',
      expect.stringContaining('three: quarantined: it lies'),
    ]);
  });

  it('is ready with two after an operator sets another strategy', async () => {
    await start(VOTES);
    system.pool.setDraining(system.pool.find('three'), true);
    expect(await health.check()).toBe('NOT_SERVING');
    const operator = new Operator(system.adminAddress);
    await operator.setStrategy(Strategy.STRATEGY_ROUND_ROBIN);
    operator.close();
    expect(await health.check()).toBe('SERVING');
  });
});

it('a router with a vote of two kinds is not ready with sidecars alone', async () => {
  await start({ strategy: 'REDUNDANT', vote: { distinct_kinds: 2 } });
  expect([await health.check(), (await readyz()).text]).toEqual([
    'NOT_SERVING',
    expect.stringContaining('needs 2 kinds, and all are of kind sidecar'),
  ]);
});

it('setting ready.min_engines takes precedence over the strategy', async () => {
  await start({ ready: { min_engines: 4 } });
  expect([await health.check(), (await readyz()).text]).toEqual([
    'NOT_SERVING',
    expect.stringContaining('setting ready.min_engines needs 4'),
  ]);
});

it('engines without the default model do not count', async () => {
  await start({ default_model: 'nothing' });
  expect([await health.check(), (await readyz()).text]).toEqual([
    'NOT_SERVING',
    expect.stringContaining('there is no model "nothing"'),
  ]);
});
