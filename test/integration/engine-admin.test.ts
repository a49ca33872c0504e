import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { BreakerState, EngineState, type EngineStatus } from '../../services/generated/tandem/v1/engines.ts';
import { EngineKind, Strategy } from '../../services/generated/tandem/v1/types.ts';
import { readHeldout } from '../support/heldout.ts';
import { closedLoad } from '../support/load.ts';
import { type RunningSidecar, startSidecar, unusedSocket } from '../support/sidecar.ts';
import { refusalOf } from '../support/refusal.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';
import { Fleet } from './router-table/fleet.ts';
import { Operator } from '../support/operator.ts';
import { SUPERSENSE } from '../support/models.ts';

const { ENGINE_STATE_READY: READY, ENGINE_STATE_DOWN: DOWN, ENGINE_STATE_DRAINING: DRAINING } = EngineState;

const inputs = readHeldout();
const [{ data }] = inputs as [(typeof inputs)[0]];
const request = { tensor: { shape: [768], dtype: 'FP32', data } };

let fleet: Fleet<'one' | 'two'>;
let system: System;
let operator: Operator;

beforeAll(async () => {
  fleet = await Fleet.start(['one', 'two']);
});

afterAll(async () => {
  await fleet.stop();
});

afterEach(async () => {
  fleet.behave();
  operator.close();
  await system.stop();
});

/** A router with both engines, by ROUND_ROBIN. */
async function start(over: Record<string, unknown> = {}): Promise<void> {
  system = await startSystem({
    local: { enabled: false },
    cache: { enabled: false },
    sidecars: fleet.settings,
    spawn: { count: 0 },
    ...over,
  });
  operator = new Operator(system.adminAddress);
}

/** The engines that answer `count` requests, one after the other; each engine once. */
async function answerers(count: number): Promise<string[]> {
  const ids = new Set<string>();
  for (let turn = 0; turn < count; turn += 1) ids.add((await system.reason(request)).engine?.engineId ?? '');
  return [...ids].sort();
}

describe('ListEngines', () => {
  it('shows every engine in the order of the settings, with its build and models', async () => {
    await start({ local: { enabled: true } });
    const engines = await operator.engines();
    expect(engines.map(({ id, kind, state, stateReason }) => [id, kind, state, stateReason])).toEqual([
      ['local', EngineKind.ENGINE_KIND_LOCAL, READY, ''],
      ['one', EngineKind.ENGINE_KIND_SIDECAR, READY, ''],
      ['two', EngineKind.ENGINE_KIND_SIDECAR, READY, ''],
    ]);
    expect(engines[0]).toMatchObject({ address: 'in-process', models: ['supersense/1'] });
    expect(engines[1]).toMatchObject({ address: fleet.front('one').address, models: ['supersense/1'] });
    expect(engines[1]?.build).toMatch(/^tandem-engine /);
  });

  it('counts answers and failures, and measures the times of answers', async () => {
    await start();
    fleet.front('two').failWith = 'ENGINE_FAULT';
    for (let turn = 0; turn < 4; turn += 1) await system.reason(request);
    const [one, two] = await operator.engines();
    expect(one).toMatchObject({ succeeded: 4n, failed: 0n, inFlight: 0 });
    expect(two).toMatchObject({ succeeded: 0n, failed: 2n, latencyMs: 0 });
    expect(one?.latencyMs).toBeGreaterThan(0);
  });

  it('shows a lost engine as DOWN with the reason, and its breaker’s history until it serves again', async () => {
    await start({ breaker: { reset_ms: 50 } });
    await fleet.sidecar('two').kill();
    await until(async () => (await operator.engine('two')).state === DOWN, { what: 'the loss' });
    const lost = await operator.engine('two');
    expect(lost.stateReason).not.toBe('');
    expect(lost.build).toMatch(/^tandem-engine /); // the last known value
    expect([lost.breakerEvents[0]?.state, lost.models]).toEqual([BreakerState.BREAKER_STATE_OPEN, []]);
    await fleet.restart('two');
    await until(async () => (await operator.engine('two')).state === READY, { what: 'its return' });
    await until(async () => (await answerers(2)).includes('two'), { what: 'an answer of it' });
    const back = await operator.engine('two');
    expect(back.breakerEvents.map(({ state }) => state)).toEqual([
      BreakerState.BREAKER_STATE_OPEN,
      BreakerState.BREAKER_STATE_HALF_OPEN,
      BreakerState.BREAKER_STATE_CLOSED,
    ]);
    for (const { why, timeMs } of back.breakerEvents) {
      expect(why).not.toBe('');
      expect(Math.abs(Number(timeMs) - Date.now())).toBeLessThan(60_000);
    }
  });

  it('says which failures opened a breaker', async () => {
    await start({ breaker: { reset_ms: 60_000 } });
    fleet.front('two').failWith = 'ENGINE_FAULT';
    for (let turn = 0; turn < 10; turn += 1) await system.reason(request);
    const { breaker, breakerEvents, state } = await operator.engine('two');
    expect([breaker, state]).toEqual([BreakerState.BREAKER_STATE_OPEN, READY]);
    // In sequence, each of a tenth of a second.
    expect(breakerEvents[0]?.why).toMatch(
      /^5 (of 5 requests failed|requests in a row failed).*, the last with ENGINE_FAULT$/,
    );
  });
});

describe('RegisterEngine', () => {
  let third: RunningSidecar;

  beforeEach(async () => {
    await start();
    third = await startSidecar(SUPERSENSE, { listen: unusedSocket() });
  });

  afterEach(async () => {
    await third.stop();
  });

  it('adds a sidecar that serves at once', async () => {
    expect(await operator.register('three', third.address)).toMatchObject({
      id: 'three',
      kind: EngineKind.ENGINE_KIND_SIDECAR,
      address: third.address,
      state: READY,
      models: ['supersense/1'],
    });
    expect(await answerers(3)).toEqual(['one', 'three', 'two']);
    expect((await operator.engines()).map(({ id }) => id)).toEqual(['one', 'two', 'three']);
  });

  it('adds one at an unused address, as DOWN with the reason; it serves as soon as a sidecar listens', async () => {
    await third.kill();
    const added = await operator.register('three', third.address);
    expect([added.state, added.build]).toEqual([DOWN, '']);
    expect(added.stateReason).toMatch(/^no engine has answered at this address so far/);
    expect(await answerers(3)).toEqual(['one', 'two']);
    await third.restart();
    await until(async () => (await operator.engine('three')).state === READY, { what: 'the engine', timeoutMs: 2_000 });
    expect(await answerers(3)).toEqual(['one', 'three', 'two']);
  });

  it('accepts an id once', async () => {
    expect(await refusalOf(operator.register('two', third.address))).toMatchObject({
      code: 'ALREADY_EXISTS',
      reason: 'ENGINE_EXISTS',
    });
    expect(await operator.engines()).toHaveLength(2);
  });

  it('accepts an id again after its engine was removed', async () => {
    await operator.remove('two');
    expect(await operator.register('two', third.address)).toMatchObject({ state: READY, succeeded: 0n });
    expect(await answerers(2)).toEqual(['one', 'two']);
  });

  it.each([
    ['an empty id', '', 'unix:/x', 'engine_id'],
    ['an id with a blank', 'engine 3', 'unix:/x', 'engine_id'],
    ['an id of 64 characters', 'x'.repeat(64), 'unix:/x', 'engine_id'],
    ['an empty address', 'three', '', 'address'],
    ['an invalid address', 'three', '127.0.0.1:port', 'address'],
    ['an invalid port', 'three', '127.0.0.1:99999', 'address'],
    ['a URL', 'three', 'http://127.0.0.1:50061', 'address'],
  ])('refuses %s by name of the field', async (_name, id, address, field) => {
    const refusal = await refusalOf(operator.register(id, address));
    expect(refusal).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELD', field });
    expect(await operator.engines()).toHaveLength(2);
  });
});

describe('an engine removed under load', () => {
  beforeEach(() => start());

  it.each<[string, () => Promise<EngineStatus>]>([
    ['RemoveEngine', () => operator.remove('two')],
    ['DrainEngine', () => operator.drain('two')],
  ])('by %s fails no request, and gets no new ones', async (_name, takeAway) => {
    const load = closedLoad({ system, inputs, total: Infinity, inFlight: 50 });
    await until(() => load.started >= 300, { what: 'some load' });
    const { inFlight, succeeded } = await takeAway();
    await until(() => load.started >= 1_000, { what: 'load without it' });
    const { failed, requests } = await load.stop();
    expect(failed).toEqual([]);
    // It has finished its open requests.
    const lost = requests.flatMap(({ attempts }) => attempts).filter(({ outcome }) => /DRAINING|LOST/.test(outcome));
    expect(lost).toEqual([]);
    const expected = Number(succeeded) + inFlight;
    // On a busy machine an attempt may time out and is cancelled.
    const { seen, answered, cancelled } = fleet.front('two').counts;
    expect([seen - cancelled, answered]).toEqual([expected, seen]);
  });
});

describe('RemoveEngine', () => {
  beforeEach(() => start());

  it('returns the last state of the engine, and forgets it; its process continues', async () => {
    await answerers(2);
    expect(await operator.remove('two')).toMatchObject({ id: 'two', succeeded: 1n, inFlight: 0 });
    expect((await operator.engines()).map(({ id }) => id)).toEqual(['one']);
    expect((await operator.metrics()).engines.map(({ engineId }) => engineId)).toEqual(['one']);
    expect(await answerers(3)).toEqual(['one']);
    expect(() => process.kill(fleet.sidecar('two').pid, 0)).not.toThrow();
  });
});

describe('DrainEngine', () => {
  // Else the other engine would be asked, too, while the first one is stopped.
  beforeEach(() => start({ retry: { budget_percent: 0 } }));

  it('returns the number of open requests, which are finished', async () => {
    await fleet.sidecar('one').pause();
    const slow = system.reason(request); // to the first engine
    await until(() => fleet.front('one').counts.seen === 1, { what: 'the open request' });
    const drained = await operator.drain('one');
    expect(drained).toMatchObject({ state: DRAINING, stateReason: 'an operator drains it', inFlight: 1 });
    expect(await answerers(3)).toEqual(['two']);
    fleet.sidecar('one').resume();
    expect((await slow).attempts).toMatchObject([{ engineId: 'one', outcome: 'OK' }]);
    expect(await operator.engine('one')).toMatchObject({ state: DRAINING, inFlight: 0 });
  });

  it('is undone by ReadmitEngine', async () => {
    await operator.drain('one');
    expect(await answerers(3)).toEqual(['two']);
    expect(await operator.readmit('one')).toMatchObject({ state: READY, stateReason: '' });
    expect(await answerers(2)).toEqual(['one', 'two']);
  });

  it('lasts when the engine restarts', async () => {
    await operator.drain('two');
    await fleet.restart('two');
    await until(() => system.pool.find('two').engine.description, { what: 'its return' });
    expect(await operator.engine('two')).toMatchObject({ state: DRAINING });
    expect(await answerers(3)).toEqual(['one']);
  });
});

describe('SetStrategy', () => {
  it('applies to requests without one, and returns the previous one', async () => {
    await start();
    expect(await operator.setStrategy(Strategy.STRATEGY_AFFINITY)).toBe(Strategy.STRATEGY_ROUND_ROBIN);
    expect(await operator.strategy()).toBe(Strategy.STRATEGY_AFFINITY);
    expect((await system.reason(request)).strategy).toBe(Strategy.STRATEGY_AFFINITY);
    expect(await answerers(4)).toHaveLength(1);
    const named = await system.reason({ ...request, strategy: Strategy.STRATEGY_FASTEST });
    expect(named.strategy).toBe(Strategy.STRATEGY_FASTEST);
  });

  it.each([
    ['none', Strategy.STRATEGY_UNSPECIFIED],
    ['an unknown one', 77 as Strategy],
  ])('refuses %s', async (_name, strategy) => {
    await start();
    expect(await refusalOf(operator.setStrategy(strategy))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      reason: 'INVALID_FIELD',
      field: 'strategy',
    });
    expect(await operator.strategy()).toBe(Strategy.STRATEGY_ROUND_ROBIN);
  });
});

const ON_AN_ENGINE: [string, (id: string) => Promise<unknown>][] = [
  ['RemoveEngine', (id) => operator.remove(id)],
  ['DrainEngine', (id) => operator.drain(id)],
  ['ReadmitEngine', (id) => operator.readmit(id)],
];

describe('an unknown engine', () => {
  it.each(ON_AN_ENGINE)('is NOT_FOUND for %s, which lists the known ones', async (_name, call) => {
    await start();
    const refusal = await refusalOf(call('nobody'));
    expect(refusal).toMatchObject({ code: 'NOT_FOUND', reason: 'UNKNOWN_ENGINE', field: 'engine_id' });
    expect(refusal.message).toContain('one, two');
  });
});

describe('at the public address, where no caller has a role,', () => {
  it.each<[string, (id: string) => Promise<unknown>]>([
    ...ON_AN_ENGINE,
    ['RegisterEngine', () => operator.register('three', unusedSocket())],
    ['SetStrategy', () => operator.setStrategy(Strategy.STRATEGY_FASTEST)],
  ])('%s is forbidden, and changes nothing', async (_name, call) => {
    await start();
    operator.close();
    operator = new Operator(system.address);
    expect(await refusalOf(call('one'))).toMatchObject({ code: 'PERMISSION_DENIED', reason: 'ADMIN_FORBIDDEN' });
    expect((await operator.engines()).map(({ id, state }) => [id, state])).toEqual([
      ['one', READY],
      ['two', READY],
    ]);
    expect(await operator.strategy()).toBe(Strategy.STRATEGY_ROUND_ROBIN);
    expect(await answerers(2)).toEqual(['one', 'two']);
  });
});
