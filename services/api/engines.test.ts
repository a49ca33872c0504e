import { beforeEach, describe, expect, it } from '@jest/globals';
import { callMethod, unaryOptions } from '../../test/fakes/call-method.ts';
import { type FakeEngine, fakeModel } from '../../test/fakes/fake-engine.ts';
import { buildWhole, engine, version } from '../../test/fakes/router-parts.ts';
import { refusalOf } from '../../test/support/refusal.ts';
import { RouterError } from '../core/errors.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { PooledEngine } from '../engines/pooled-engine.ts';
import {
  BreakerState,
  EngineAdminServiceService,
  EngineState,
  type EngineStatus,
  type ListEnginesResponse,
  ReplayInputRequest,
} from '../generated/tandem/v1/engines.ts';
import type { Method } from '../grpc/method.ts';
import type { Router } from '../routing/router.ts';
import { EngineKind, Strategy } from '../generated/tandem/v1/types.ts';
import { type EngineAdminOptions, engineAdminMethods } from './engines.ts';

const { listEngines, registerEngine, removeEngine, drainEngine, readmitEngine, setStrategy, replayInput } =
  EngineAdminServiceService;

let a: FakeEngine;
let pool: EnginePool;
let router: Router;
let methods: Method[];
let trusted: PooledEngine[];
let strategyChanges: string[];

beforeEach(() => {
  a = engine('a');
  trusted = [];
  strategyChanges = [];
  serve();
});

function serve(over: Partial<EngineAdminOptions> = {}): void {
  ({ pool, router } = buildWhole([a, engine('b')], [version(1), version(2)]));
  methods = engineAdminMethods(router, pool, {
    ...unaryOptions(),
    trust: (each) => trusted.push(each),
    register: () => Promise.reject(new RouterError('ENGINE_EXISTS', 'it is there')),
    strategyChanged: () => void strategyChanges.push(router.strategy),
    ...over,
  });
}

const list = (): Promise<ListEnginesResponse> => callMethod(methods, listEngines, {});

async function shown(id = 'a'): Promise<EngineStatus> {
  return (await list()).engines.find((each) => each.id === id)!;
}

describe('the status of an engine', () => {
  it('shows what it is, what it holds and what it did', async () => {
    a.up(fakeModel()).inFlight = 3;
    Object.assign(pool.find('a'), { succeeded: 5, failed: 2 });
    pool.find('a').speed.recordAnswer(8, 1, performance.now());
    expect(await shown()).toEqual({
      ...{ id: 'a', kind: EngineKind.ENGINE_KIND_SIDECAR, address: 'a.fake:1', build: 'build of a' },
      ...{ state: EngineState.ENGINE_STATE_READY, stateReason: '', models: ['m/1'], modelProblems: [] },
      ...{ inFlight: 3, succeeded: 5n, failed: 2n, latencyMs: pool.find('a').speed.latencyMs },
      ...{ breaker: BreakerState.BREAKER_STATE_CLOSED, breakerEvents: [], instanceId: '', duplicateOf: '' },
    });
    expect(pool.find('a').speed.latencyMs).toBe(8);
  });

  it('shows the changes of its breaker', async () => {
    const beforeMs = Date.now();
    pool.find('a').breaker.trip('it broke the protocol');
    const { breaker, breakerEvents } = await shown();
    const opened = { state: BreakerState.BREAKER_STATE_OPEN, why: expect.stringContaining('it broke the protocol') };
    expect([breaker, breakerEvents]).toMatchObject([BreakerState.BREAKER_STATE_OPEN, [opened]]);
    expect(Number(breakerEvents[0]!.timeMs)).toBeGreaterThanOrEqual(beforeMs);
  });

  it.each<[keyof typeof EngineState, RegExp, () => unknown]>([
    ['ENGINE_STATE_DOWN', /^connection refused$/, () => a.down('connection refused')],
    ['ENGINE_STATE_DRAINING', /^an operator drains it$/, () => pool.setDraining(pool.find('a'), true)],
    ['ENGINE_STATE_QUARANTINED', /^it lies$/, () => pool.setQuarantine(pool.find('a'), 'it lies')],
    ['ENGINE_STATE_UNUSABLE', /holds no model/, () => a.up()],
  ])('gives the reason of %s', async (state, stateReason, put) => {
    put();
    const status = await shown();
    expect(status.state).toBe(EngineState[state]);
    expect(status.stateReason).toMatch(stateReason);
  });

  it('names the engine that is the same process', async () => {
    const twin = engine('twin');
    pool.add(twin);
    for (const each of [a, twin]) {
      each.instanceId = '01';
      each.up(fakeModel());
    }
    const { state, stateReason, duplicateOf, instanceId } = await shown('twin');
    expect([state, duplicateOf, instanceId]).toEqual([EngineState.ENGINE_STATE_DUPLICATE, 'a', '01']);
    expect(stateReason).toMatch(/^it is the same process as a,/);
  });

  it('says that an engine gets no requests before the router has read one of its models', async () => {
    pool.find('a').models = [];
    expect((await shown()).stateReason).toMatch(/^it gets no requests yet/);
  });

  it('leaves out models that it or the router cannot use', async () => {
    a.up(fakeModel(), fakeModel({ version: 2, error: 'too large' }), fakeModel({ version: 3, modelId: 9n }));
    const { models, modelProblems } = await shown();
    expect(models).toEqual(['m/1']);
    expect(modelProblems.map(({ model }) => model)).toEqual(['m/2', 'm/3']);
  });

  it('leaves out a model that the engine cannot use though the router finds no problem with it', async () => {
    pool.find('a').models = [fakeModel({ error: 'too large' })];
    expect((await shown()).models).toEqual([]);
  });
});

describe('ListEngines', () => {
  it('lists the engines in the order of the pool, with the strategy', async () => {
    const { engines, strategy, nameProblems } = await list();
    expect(engines.map(({ id }) => id)).toEqual(['a', 'b']);
    expect([strategy, nameProblems]).toEqual([Strategy.STRATEGY_ROUND_ROBIN, []]);
  });

  it('lists the problems with names', async () => {
    const problem = { name: 'engines.example', why: 'no address' };
    serve({ names: () => [problem] });
    expect((await list()).nameProblems).toEqual([problem]);
  });
});

describe('RegisterEngine', () => {
  it('returns the engine that was added', async () => {
    const register = async (id: string, address: string): Promise<PooledEngine> => pool.add(engine(`${id}@${address}`));
    serve({ register });
    const request = { engineId: 'c', address: 'host:1' };
    expect((await callMethod(methods, registerEngine, request)).engine!.id).toBe('c@host:1');
  });

  it('passes on the reason of a refusal', async () => {
    const registering = callMethod(methods, registerEngine, { engineId: 'a', address: 'host:1' });
    expect((await refusalOf(registering)).reason).toBe('ENGINE_EXISTS');
  });
});

describe('RemoveEngine', () => {
  it('stops the engine and returns its last status', async () => {
    let stops = 0;
    a.stop = () => Promise.resolve(void (stops += 1));
    const removed = (await callMethod(methods, removeEngine, { engineId: 'a' })).engine!;
    expect([removed.id, removed.state, stops]).toEqual(['a', EngineState.ENGINE_STATE_READY, 1]);
    expect(pool.engines.map(({ id }) => id)).toEqual(['b']);
  });
});

describe('DrainEngine and ReadmitEngine', () => {
  it('take an engine out and back, and trust it again', async () => {
    const drained = await callMethod(methods, drainEngine, { engineId: 'a' });
    expect([drained.engine!.state, trusted]).toEqual([EngineState.ENGINE_STATE_DRAINING, []]);
    const readmitted = await callMethod(methods, readmitEngine, { engineId: 'a' });
    expect([readmitted.engine!.state, trusted]).toEqual([EngineState.ENGINE_STATE_READY, [pool.find('a')]]);
  });

  it.each([
    ['RemoveEngine', () => callMethod(methods, removeEngine, { engineId: 'x' })],
    ['DrainEngine', () => callMethod(methods, drainEngine, { engineId: 'x' })],
    ['ReadmitEngine', () => callMethod(methods, readmitEngine, { engineId: 'x' })],
  ])('refuse an unknown engine, as %s', async (_, call) => {
    expect((await refusalOf(call())).reason).toBe('UNKNOWN_ENGINE');
  });
});

describe('SetStrategy', () => {
  it('changes the strategy, then reports the change, and returns the previous one', async () => {
    const { previous } = await callMethod(methods, setStrategy, { strategy: Strategy.STRATEGY_FASTEST });
    expect([previous, strategyChanges]).toEqual([Strategy.STRATEGY_ROUND_ROBIN, ['FASTEST']]);
  });

  it('refuses a request without a strategy', async () => {
    const refused = callMethod(methods, setStrategy, { strategy: Strategy.STRATEGY_UNSPECIFIED });
    expect(await refusalOf(refused)).toMatchObject({ reason: 'INVALID_FIELD', field: 'strategy' });
    expect([router.strategy, strategyChanges]).toEqual(['ROUND_ROBIN', []]);
  });
});

it('ReplayInput compares the engines of the pool', async () => {
  const tensor = { shape: [3], dtype: 'FP32', data: Buffer.alloc(12) };
  const request = ReplayInputRequest.fromPartial({ model: 'm', modelVersion: 1, tensor });
  const { engines } = await callMethod(methods, replayInput, request);
  expect(engines.map(({ engineId }) => engineId)).toEqual(['a', 'b']);
});
