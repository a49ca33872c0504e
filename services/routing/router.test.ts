import { describe, expect, it } from '@jest/globals';
import {
  version,
  engine,
  buildWhole,
  build,
  question,
  context,
  draining,
  lost,
  kindOf,
} from '../../test/fakes/router-parts.ts';
import { FakeEngine, fakeInference, fakeModel, fakePinned } from '../../test/fakes/fake-engine.ts';
import type { ModelPins } from '../engines/model-pins.ts';
import type { TensorInput } from './check-input.ts';
import { RouterError } from '../core/errors.ts';
import { RetryBudget } from './retry-budget.ts';

describe('Router', () => {
  it('returns the engine’s result and the engine’s id', async () => {
    const router = build([engine('a')]);
    const { answer, attempts, grade } = await router.reason(question(), context());
    expect([answer.label, answer.engine.id, answer.inference.stateDigest]).toEqual(['yes', 'a', 99n]);
    expect(grade).toBe('SINGLE');
    expect(attempts.map(({ engineId, outcome }) => [engineId, outcome])).toEqual([['a', 'OK']]);
  });

  it('passes the input’s bytes on without a copy', async () => {
    const only = engine('a');
    const request = question();
    await build([only]).reason(request, context());
    expect(only.calls[0]?.input.data).toBe((request.input as TensorInput).data);
  });

  it('sends requests to engines in turn', async () => {
    const engines = [engine('a'), engine('b')];
    const router = build(engines);
    for (let n = 0; n < 10; n += 1) await router.reason(question(), context());
    expect(engines.map(({ calls }) => calls.length)).toEqual([5, 5]);
  });

  it('asks the next engine if one is lost, and records the attempt', async () => {
    const [a, b] = [engine('a'), engine('b')];
    a.behaviour = lost;
    const answer = await build([a, b]).reason(question(), context());
    expect(answer.attempts.map(({ engineId, outcome }) => [engineId, outcome])).toEqual([
      ['a', 'ENGINE_LOST'],
      ['b', 'OK'],
    ]);
  });

  it('names every attempt if all engines fail', async () => {
    const engines = [engine('a'), engine('b')];
    for (const each of engines) each.behaviour = lost;
    const failure = build(engines).reason(question(), context());
    await expect(failure).rejects.toMatchObject({
      kind: 'NO_ENGINE',
      metadata: { tried: 'a: ENGINE_LOST, b: ENGINE_LOST', others: '' },
      retryAfterMs: 500,
    });
  });

  it('asks no further engine after the caller has left', async () => {
    const engines = [engine('a'), engine('b')];
    const caller = context();
    for (const each of engines) {
      each.behaviour = () => {
        caller.controller.abort();
        return lost();
      };
    }
    await kindOf(build(engines).reason(question(), caller));
    expect(engines.map(({ calls }) => calls.length)).toEqual([1, 0]);
  });

  it('uses the latest version that an engine holds', async () => {
    const router = build([new FakeEngine('a').up(fakeModel({ version: 1 }))], [version(1), version(2)]);
    expect((await router.reason(question(), context())).model.version).toBe(1);
  });

  it('asks no engine that holds other weights under the same name', async () => {
    const odd = new FakeEngine('odd').up(fakeModel({ modelId: 8n }));
    const router = build([odd, engine('a'), engine('b')]);
    for (let n = 0; n < 6; n += 1) await router.reason(question(), context());
    expect(odd.calls).toHaveLength(0);
  });

  it('refuses a request at once if maxInFlight is reached', async () => {
    const only = engine('a');
    const waiting: (() => void)[] = [];
    only.behaviour = () => new Promise((resolve) => waiting.push(() => resolve(fakeInference())));
    const router = build([only], [version(1)], { maxInFlight: 2 });
    const first = [router.reason(question(), context()), router.reason(question(), context())];
    expect(await kindOf(router.reason(question(), context()))).toBe('ROUTER_FULL');
    for (const finish of waiting) finish();
    await Promise.all(first);
    expect(router.inFlight).toBe(0);
  });

  it('fails with ROUTER_FULL if all engines are full', async () => {
    const only = engine('a');
    only.behaviour = () => Promise.reject(new RouterError('ENGINE_FULL', 'full'));
    expect(await kindOf(build([only]).reason(question(), context()))).toBe('ROUTER_FULL');
  });

  it.each([
    ['an unknown model', question({ model: 'nobody' }), 'UNKNOWN_MODEL', 'model'],
    ['an unknown version', question({ modelVersion: 9 }), 'UNKNOWN_MODEL', 'model_version'],
    ['a broken model', question({ model: 'broken' }), 'MODEL_INVALID', 'model'],
    ['a model with a label too few', question({ model: 'unlabelled' }), 'MODEL_INVALID', 'model'],
    ['a model that the router cannot read', question({ model: 'unreadable' }), 'MODEL_INVALID', 'model'],
  ])('names the field of %s', async (_name, request, kind, field) => {
    const names = ['m', 'unlabelled', 'unreadable'];
    const only = new FakeEngine('a').up(...names.map((name) => fakeModel({ name })));
    const pins: ModelPins = {
      find: (name) => fakePinned({ name, error: name === 'unreadable' ? 'node "x": field "tau"' : '' }),
    };
    const versions = [
      version(1),
      version(1, { name: 'broken', error: 'dt: must be > 0' }),
      version(1, { name: 'unreadable' }),
      version(1, { name: 'unlabelled', readout: { from: 'spike_count', labels: ['only'], temperature: 1 } }),
    ];
    const router = build([only], versions, {}, 1e6, pins);
    await expect(router.reason(request, context())).rejects.toMatchObject({
      kind,
      violation: { field },
    });
  });

  it('fails with NO_ENGINE and a retry hint while the model is being read', async () => {
    const router = build([engine('a')], [version(1)], {}, 1e6, { find: () => undefined });
    const message = 'model "m/1" is still being read; try again in 500 ms';
    await expect(router.reason(question(), context())).rejects.toMatchObject({
      ...{ kind: 'NO_ENGINE', message, retryAfterMs: 500, metadata: { model: 'm/1' } },
    });
    expect(router.readiness).toEqual({ isReady: false, why: message });
  });

  it('says why an engine cannot use a model that the router can use', async () => {
    const only = new FakeEngine('a').up(fakeModel({ modelId: 0n, error: 'node "x": field "tau"' }));
    await expect(build([only]).reason(question(), context())).rejects.toMatchObject({
      kind: 'NO_ENGINE',
      message: expect.stringContaining('it cannot use it: node "x": field "tau"'),
    });
  });

  it('names the reason of each engine if all are down', async () => {
    const only = engine('a');
    const router = build([only]);
    only.down('connection refused');
    await expect(router.reason(question(), context())).rejects.toMatchObject({
      kind: 'NO_ENGINE',
      message: expect.stringContaining('connection refused') as unknown,
    });
  });

  it('names the reason of an engine that was never up', async () => {
    const nobody = new FakeEngine('a');
    await expect(build([nobody]).reason(question(), context())).rejects.toMatchObject({
      kind: 'NO_ENGINE',
      message: expect.stringContaining('a: down: not started') as unknown,
    });
  });

  it('asks at most maxAttempts engines', async () => {
    const engines = ['a', 'b', 'c', 'd'].map(engine);
    for (const each of engines) each.behaviour = lost;
    expect(await kindOf(build(engines, [version(1)], { maxAttempts: 2 }).reason(question(), context()))).toBe(
      'NO_ENGINE',
    );
    expect(engines.map(({ calls }) => calls.length)).toEqual([1, 1, 0, 0]);
  });

  it('does not count a draining engine as an attempt', async () => {
    const engines = ['a', 'b', 'c', 'd'].map(engine);
    for (const each of engines.slice(0, 3)) each.behaviour = draining;
    const router = build(engines, [version(1)], { maxAttempts: 2, budget: new RetryBudget(1, 0) });
    expect(await kindOf(router.reason(question(), context()))).toBe('answered');
    expect(engines.map(({ calls }) => calls.length)).toEqual([1, 1, 1, 1]);
  });

  it('does not retry if the retry budget is spent', async () => {
    const [a, b] = [engine('a'), engine('b')];
    a.behaviour = lost;
    const router = build([a, b], [version(1)], { budget: new RetryBudget(1, 0.1) });
    const kinds = [];
    for (let n = 0; n < 4; n += 1) kinds.push(await kindOf(router.reason(question(), context())));
    expect(kinds).toEqual(['answered', 'answered', 'NO_ENGINE', 'answered']);
  });

  it('limits the time of an attempt, except of the last one', async () => {
    const [a, b] = [engine('a'), engine('b')];
    const timeouts: number[] = [];
    for (const each of [a, b]) {
      each.behaviour = (_input, { deadlineMs }) => {
        timeouts.push(deadlineMs);
        return each === a
          ? Promise.reject(new RouterError('DEADLINE_EXCEEDED', 'late'))
          : Promise.resolve(fakeInference());
      };
    }
    const { attempts } = await build([a, b], undefined, { attemptTimeoutMs: 1 }).reason(question(), context());
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['ATTEMPT_TIMEOUT', 'OK']);
    expect([timeouts[0]! < Infinity, timeouts[1]]).toEqual([true, Infinity]);
  });

  it('asks no engine whose breaker is open, and says so if all are', async () => {
    const [a, b] = [engine('a'), engine('b')];
    const { router, pool } = buildWhole([a, b]);
    pool.find('a').breaker.trip('by hand');
    for (let n = 0; n < 3; n += 1) await router.reason(question(), context());
    expect([a.calls.length, b.calls.length]).toEqual([0, 3]);
    pool.find('b').breaker.trip('by hand');
    await expect(router.reason(question(), context())).rejects.toMatchObject({
      kind: 'NO_ENGINE',
      metadata: { others: 'a: breaker open, b: breaker open' },
    });
  });

  it('sends nothing to a draining engine until it is readmitted', async () => {
    const [a, b] = [engine('a'), engine('b')];
    const { router, pool } = buildWhole([a, b]);
    pool.setDraining(pool.find('a'), true);
    for (let n = 0; n < 4; n += 1) await router.reason(question(), context());
    expect([a.calls.length, b.calls.length]).toEqual([0, 4]);
    pool.setDraining(pool.find('a'), false);
    for (let n = 0; n < 4; n += 1) await router.reason(question(), context());
    expect([a.calls.length, b.calls.length]).toEqual([2, 6]);
  });
});
