import { describe, expect, it } from '@jest/globals';
import { FakeEngine, fakeInference, fakeModel } from '../../test/fakes/fake-engine.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import { EnginePool } from '../engines/pool.ts';
import { ModelRepository, type ModelVersion } from '../models/repository.ts';
import { type ReasonQuestion, Router } from './router.ts';

function version(number: number, over: Partial<ModelVersion> = {}): ModelVersion {
  return {
    name: 'm',
    version: number,
    inputKind: 'constant',
    inputShape: [3],
    readout: { from: 'spike_count', labels: ['yes', 'no'], temperature: 1 },
    steps: 16,
    dt: 1e-3,
    error: '',
    ...over,
  };
}

function build(engines: FakeEngine[], versions = [version(1)], maxInFlight = 100): Router {
  const pool = new EnginePool(engines);
  for (const engine of engines) if (engine.description) engine.up(...engine.description.models);
  return new Router(new ModelRepository(versions, 'm'), pool, {
    strategy: 'ROUND_ROBIN',
    localShare: 0.8,
    maxInFlight,
  });
}

function question(over: Partial<ReasonQuestion> = {}): ReasonQuestion {
  const data = Buffer.from(new Float32Array([1, 2, 3]).buffer);
  return {
    model: '',
    modelVersion: 0,
    input: { field: 'encoding', shape: [3], dtype: 'FP32', data },
    strategy: undefined,
    ...over,
  };
}

function context(): CallContext & { controller: AbortController } {
  const controller = new AbortController();
  return { deadlineMs: Infinity, signal: controller.signal, controller };
}

const lost = (): Promise<never> => Promise.reject(new RouterError('ENGINE_LOST', 'gone'));

async function kindOf(answer: Promise<unknown>): Promise<string> {
  return await answer.then(
    () => 'answered',
    (error: unknown) => (error as RouterError).kind,
  );
}

describe('the router', () => {
  it('answers with what the engine measured and which engine it was', async () => {
    const router = build([new FakeEngine('a').up(fakeModel())]);
    const answer = await router.reason(question(), context());
    expect([answer.label, answer.engine.id, answer.inference.stateDigest]).toEqual(['yes', 'a', 99n]);
    expect(answer.attempts.map(({ engineId, outcome }) => [engineId, outcome])).toEqual([['a', 'OK']]);
  });

  it('passes the input’s bytes on untouched', async () => {
    const engine = new FakeEngine('a').up(fakeModel());
    const asked = question();
    await build([engine]).reason(asked, context());
    expect(engine.calls[0]?.input.data).toBe(asked.input.data);
  });

  it('takes turns', async () => {
    const engines = [new FakeEngine('a').up(fakeModel()), new FakeEngine('b').up(fakeModel())];
    const router = build(engines);
    for (let n = 0; n < 10; n += 1) await router.reason(question(), context());
    expect(engines.map((engine) => engine.calls.length)).toEqual([5, 5]);
  });

  it('asks the next engine when one is lost, and says so', async () => {
    const [a, b] = [new FakeEngine('a').up(fakeModel()), new FakeEngine('b').up(fakeModel())];
    a.behaviour = lost;
    const answer = await build([a, b]).reason(question(), context());
    expect(answer.attempts.map(({ engineId, outcome }) => [engineId, outcome])).toEqual([
      ['a', 'ENGINE_LOST'],
      ['b', 'OK'],
    ]);
  });

  it('says what was tried when no engine could answer', async () => {
    const engines = [new FakeEngine('a').up(fakeModel()), new FakeEngine('b').up(fakeModel())];
    for (const engine of engines) engine.behaviour = lost;
    const failure = build(engines).reason(question(), context());
    await expect(failure).rejects.toMatchObject({
      kind: 'NO_ENGINE',
      metadata: { tried: 'a: ENGINE_LOST, b: ENGINE_LOST' },
    });
  });

  it('does not ask another engine what the first one refused for the caller’s fault', async () => {
    const engines = [new FakeEngine('a').up(fakeModel()), new FakeEngine('b').up(fakeModel())];
    for (const engine of engines) engine.behaviour = () => Promise.reject(new RouterError('NON_FINITE', 'overflow'));
    expect(await kindOf(build(engines).reason(question(), context()))).toBe('NON_FINITE');
    expect(engines.map((engine) => engine.calls.length)).toEqual([1, 0]);
  });

  it('does not go on after the caller has left', async () => {
    const engines = [new FakeEngine('a').up(fakeModel()), new FakeEngine('b').up(fakeModel())];
    const caller = context();
    for (const engine of engines) {
      engine.behaviour = () => {
        caller.controller.abort();
        return lost();
      };
    }
    await kindOf(build(engines).reason(question(), caller));
    expect(engines.map((engine) => engine.calls.length)).toEqual([1, 0]);
  });

  it('serves the latest version that an engine holds', async () => {
    const router = build([new FakeEngine('a').up(fakeModel({ version: 1 }))], [version(1), version(2)]);
    expect((await router.reason(question(), context())).model.version).toBe(1);
  });

  it('keeps engines out that hold other weights under the same name', async () => {
    const odd = new FakeEngine('odd').up(fakeModel({ modelId: 8n }));
    const router = build([odd, new FakeEngine('a').up(fakeModel()), new FakeEngine('b').up(fakeModel())]);
    for (let n = 0; n < 6; n += 1) await router.reason(question(), context());
    expect(odd.calls).toHaveLength(0);
  });

  it('refuses at once when it is full', async () => {
    const engine = new FakeEngine('a').up(fakeModel());
    const waiting: (() => void)[] = [];
    engine.behaviour = () => new Promise((resolve) => waiting.push(() => resolve(fakeInference())));
    const router = build([engine], [version(1)], 2);
    const first = [router.reason(question(), context()), router.reason(question(), context())];
    expect(await kindOf(router.reason(question(), context()))).toBe('ROUTER_FULL');
    for (const finish of waiting) finish();
    await Promise.all(first);
    expect(router.inFlight).toBe(0);
  });

  it('tells a full pool from a broken one', async () => {
    const engine = new FakeEngine('a').up(fakeModel());
    engine.behaviour = () => Promise.reject(new RouterError('ENGINE_FULL', 'full'));
    expect(await kindOf(build([engine]).reason(question(), context()))).toBe('ROUTER_FULL');
  });

  it.each([
    ['an unknown model', question({ model: 'nobody' }), 'UNKNOWN_MODEL', 'model'],
    ['an unknown version', question({ modelVersion: 9 }), 'UNKNOWN_MODEL', 'model_version'],
    ['a broken model', question({ model: 'broken' }), 'MODEL_INVALID', 'model'],
    ['a model with a label too few', question({ model: 'unlabelled' }), 'MODEL_INVALID', 'model'],
    ['a model no engine can load', question({ model: 'unloadable' }), 'MODEL_INVALID', 'model'],
  ])('names the field of %s', async (_name, asked, kind, field) => {
    const engine = new FakeEngine('a').up(
      fakeModel(),
      fakeModel({ name: 'unlabelled' }),
      fakeModel({ name: 'unloadable', error: 'node "x": field "tau"' }),
    );
    const versions = [
      version(1),
      version(1, { name: 'broken', error: 'dt: must be > 0' }),
      version(1, { name: 'unloadable' }),
      version(1, { name: 'unlabelled', readout: { from: 'spike_count', labels: ['only'], temperature: 1 } }),
    ];
    await expect(build([engine], versions).reason(asked, context())).rejects.toMatchObject({
      kind,
      violation: { field },
    });
  });

  it('says that it is not the model’s fault when every engine is down', async () => {
    const engine = new FakeEngine('a');
    const router = build([engine]);
    engine.down('connection refused');
    await expect(router.reason(question(), context())).rejects.toMatchObject({
      kind: 'NO_ENGINE',
      message: expect.stringContaining('connection refused') as unknown,
    });
  });
});
