import { describe, expect, it } from '@jest/globals';
import { FakeEngine, fakeInference, fakeModel } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker, silent } from '../../test/fakes/fake-parts.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext, Detail, LayerActivity } from '../core/inference.ts';
import { EnginePool } from '../engines/pool.ts';
import { ModelRepository, type ModelVersion } from '../models/repository.ts';
import { AnswerCache } from '../cache/answer-cache.ts';
import { voteSchema } from '../config/vote.ts';
import { Admission } from './admission.ts';
import { type Answer, sizeOf } from './answer.ts';
import type { ReasonQuestion } from './question.ts';
import { Audit } from './audit.ts';
import { LatencyQuantile } from './latency-quantile.ts';
import { readoutDigest } from '../engines/readout-digest.ts';
import { RetryBudget } from './retry-budget.ts';
import { Router, type RouterOptions } from './router.ts';

function version(number: number, over: Partial<ModelVersion> = {}): ModelVersion {
  return {
    name: 'm',
    version: number,
    inputKind: 'constant',
    inputShape: [3],
    readout: { from: 'spike_count', labels: ['yes', 'no'], temperature: 1 },
    steps: 16,
    dt: 1e-3,
    vote: undefined,
    golden: [],
    error: '',
    ...over,
  };
}

const engine = (id: string): FakeEngine => new FakeEngine(id).up(fakeModel());

interface Built {
  readonly router: Router;
  readonly pool: EnginePool;
}

function buildWhole(
  engines: FakeEngine[],
  versions = [version(1)],
  over: Partial<RouterOptions> = {},
  ttlMs = 1e6,
): Built {
  const pool = new EnginePool(fakeBreaker);
  for (const each of engines) pool.add(each);
  const cache = new AnswerCache<Answer>({ maxEntries: 100, maxBytes: 1e6, ttlMs, staleMs: 1e6, sizeOf });
  const router = new Router(new ModelRepository(versions, 'm'), pool, cache, {
    strategy: 'ROUND_ROBIN',
    localFirstShare: 0.8,
    sidecarFirstShare: 0.8,
    vote: voteSchema.parse({}),
    usualMs: new LatencyQuantile(95),
    audit: new Audit({ rate: 0, observer: silent, onDispute: () => undefined }),
    onDispute: () => undefined,
    admission: new Admission({ maxQueue: 100, maxWaitMs: 1_000 }),
    maxInFlight: 100,
    maxAttempts: 3,
    attemptTimeoutMs: 1_000,
    budget: new RetryBudget(100, 20),
    observer: silent,
    ...over,
  });
  return { router, pool };
}

function build(...args: Parameters<typeof buildWhole>): Router {
  return buildWhole(...args).router;
}

function question(over: Partial<ReasonQuestion> = {}): ReasonQuestion {
  const data = Buffer.from(new Float32Array([1, 2, 3]).buffer);
  return {
    model: '',
    modelVersion: 0,
    input: { field: 'encoding', shape: [3], dtype: 'FP32', data },
    strategy: undefined,
    cache: 'BYPASS',
    vote: undefined,
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
    const router = build([engine('a')]);
    const { answer, attempts, grade } = await router.reason(question(), context());
    expect([answer.label, answer.engine.id, answer.inference.stateDigest]).toEqual(['yes', 'a', 99n]);
    expect(grade).toBe('SINGLE');
    expect(attempts.map(({ engineId, outcome }) => [engineId, outcome])).toEqual([['a', 'OK']]);
  });

  it('passes the input’s bytes on untouched', async () => {
    const only = engine('a');
    const asked = question();
    await build([only]).reason(asked, context());
    expect(only.calls[0]?.input.data).toBe(asked.input.data);
  });

  it('takes turns', async () => {
    const engines = [engine('a'), engine('b')];
    const router = build(engines);
    for (let n = 0; n < 10; n += 1) await router.reason(question(), context());
    expect(engines.map(({ calls }) => calls.length)).toEqual([5, 5]);
  });

  it('asks the next engine when one is lost, and says so', async () => {
    const [a, b] = [engine('a'), engine('b')];
    a.behaviour = lost;
    const answer = await build([a, b]).reason(question(), context());
    expect(answer.attempts.map(({ engineId, outcome }) => [engineId, outcome])).toEqual([
      ['a', 'ENGINE_LOST'],
      ['b', 'OK'],
    ]);
  });

  it('says what was tried when no engine could answer', async () => {
    const engines = [engine('a'), engine('b')];
    for (const each of engines) each.behaviour = lost;
    const failure = build(engines).reason(question(), context());
    await expect(failure).rejects.toMatchObject({
      kind: 'NO_ENGINE',
      metadata: { tried: 'a: ENGINE_LOST, b: ENGINE_LOST', others: '' },
      retryAfterMs: 500,
    });
  });

  it('does not ask another engine what the first one refused for the caller’s fault', async () => {
    const engines = [engine('a'), engine('b')];
    for (const each of engines) each.behaviour = () => Promise.reject(new RouterError('NON_FINITE', 'overflow'));
    expect(await kindOf(build(engines).reason(question(), context()))).toBe('NON_FINITE');
    expect(engines.map(({ calls }) => calls.length)).toEqual([1, 0]);
  });

  it('does not go on after the caller has left', async () => {
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

  it('serves the latest version that an engine holds', async () => {
    const router = build([new FakeEngine('a').up(fakeModel({ version: 1 }))], [version(1), version(2)]);
    expect((await router.reason(question(), context())).model.version).toBe(1);
  });

  it('keeps engines out that hold other weights under the same name', async () => {
    const odd = new FakeEngine('odd').up(fakeModel({ modelId: 8n }));
    const router = build([odd, engine('a'), engine('b')]);
    for (let n = 0; n < 6; n += 1) await router.reason(question(), context());
    expect(odd.calls).toHaveLength(0);
  });

  it('refuses at once when it is full', async () => {
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

  it('tells a full pool from a broken one', async () => {
    const only = engine('a');
    only.behaviour = () => Promise.reject(new RouterError('ENGINE_FULL', 'full'));
    expect(await kindOf(build([only]).reason(question(), context()))).toBe('ROUTER_FULL');
  });

  it.each([
    ['an unknown model', question({ model: 'nobody' }), 'UNKNOWN_MODEL', 'model'],
    ['an unknown version', question({ modelVersion: 9 }), 'UNKNOWN_MODEL', 'model_version'],
    ['a broken model', question({ model: 'broken' }), 'MODEL_INVALID', 'model'],
    ['a model with a label too few', question({ model: 'unlabelled' }), 'MODEL_INVALID', 'model'],
    ['a model no engine can load', question({ model: 'unloadable' }), 'MODEL_INVALID', 'model'],
  ])('names the field of %s', async (_name, asked, kind, field) => {
    const only = new FakeEngine('a').up(
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
    await expect(build([only], versions).reason(asked, context())).rejects.toMatchObject({
      kind,
      violation: { field },
    });
  });

  it('says that it is not the model’s fault when every engine is down', async () => {
    const only = engine('a');
    const router = build([only]);
    only.down('connection refused');
    await expect(router.reason(question(), context())).rejects.toMatchObject({
      kind: 'NO_ENGINE',
      message: expect.stringContaining('connection refused') as unknown,
    });
  });

  it('says so, too, where none was ever there', async () => {
    const nobody = new FakeEngine('a');
    await expect(build([nobody]).reason(question(), context())).rejects.toMatchObject({
      kind: 'NO_ENGINE',
      message: expect.stringContaining('a: down: not started') as unknown,
    });
  });

  it('asks no more engines than allowed', async () => {
    const engines = ['a', 'b', 'c', 'd'].map(engine);
    for (const each of engines) each.behaviour = lost;
    expect(await kindOf(build(engines, [version(1)], { maxAttempts: 2 }).reason(question(), context()))).toBe(
      'NO_ENGINE',
    );
    expect(engines.map(({ calls }) => calls.length)).toEqual([1, 1, 0, 0]);
  });

  it('stops asking again when the retry budget is spent', async () => {
    const [a, b] = [engine('a'), engine('b')];
    a.behaviour = lost;
    const router = build([a, b], [version(1)], { budget: new RetryBudget(1, 0.1) });
    const kinds = [];
    for (let n = 0; n < 4; n += 1) kinds.push(await kindOf(router.reason(question(), context())));
    expect(kinds).toEqual(['answered', 'answered', 'NO_ENGINE', 'answered']);
  });

  it('gives up an engine that is too slow where another can be asked, but waits for the last one', async () => {
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
    const { attempts } = await build([a, b]).reason(question(), context());
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['ENGINE_SLOW', 'OK']);
    expect([timeouts[0]! < Infinity, timeouts[1]]).toEqual([true, Infinity]);
  });

  it('asks nobody whose breaker is open, and says so when that is everybody', async () => {
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

  it('sends nothing to an engine that is being drained, until it is readmitted', async () => {
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

describe('the result cache', () => {
  it('answers an equal question without asking, and says which engine computed it', async () => {
    const only = engine('a');
    const router = build([only]);
    const first = await router.reason(question({ cache: 'USE' }), context());
    const second = await router.reason(question({ cache: 'USE' }), context());
    expect([first.cache, second.cache, second.attempts.length, only.calls.length]).toEqual(['MISS', 'HIT', 0, 1]);
    expect(second.answer).toEqual(first.answer);
  });

  it('is not content with one engine’s word where a vote is asked for', async () => {
    const router = build(['a', 'b', 'c'].map(engine));
    await router.reason(question({ cache: 'USE' }), context());
    const voted = await router.reason(question({ cache: 'USE', strategy: 'REDUNDANT' }), context());
    expect([voted.cache, voted.grade]).toEqual(['MISS', 'UNANIMOUS']);
  });

  it('knows other weights under the same name for another question', async () => {
    const only = engine('a');
    const router = build([only]);
    await router.reason(question({ cache: 'USE' }), context());
    only.up(fakeModel({ modelId: 8n }));
    expect((await router.reason(question({ cache: 'USE' }), context())).cache).toBe('MISS');
  });

  it('answers what it knows when all engines have gone, but never as if it were fresh', async () => {
    const only = engine('a');
    const router = build([only], [version(1)], {}, 0);
    await router.reason(question({ cache: 'USE' }), context());
    only.down('killed');
    const stale = await router.reason(question({ cache: 'USE' }), context());
    expect([stale.cache, stale.grade, stale.answer.label]).toEqual(['STALE', 'STALE', 'yes']);
    const data = Buffer.from(new Float32Array([3, 2, 1]).buffer);
    const unseen = question({ cache: 'USE', input: { field: 'encoding', shape: [3], dtype: 'FP32', data } });
    await expect(router.reason(unseen, context())).rejects.toMatchObject({ kind: 'NO_ENGINE' });
    await expect(router.reason(question(), context())).rejects.toMatchObject({ kind: 'NO_ENGINE' });
  });
});

describe('detail', () => {
  const layers: readonly LayerActivity[] = [
    { node: 'lif', neurons: 2, spikes: 4, spikesPerStep: [4], eventSteps: [], eventNeurons: [], eventsLeftOut: 0 },
  ];
  /** Tells layers to who asks for them. */
  function telling(id: string): FakeEngine {
    const told = engine(id);
    told.behaviour = ({ detail, digestOnly }) =>
      Promise.resolve(
        digestOnly === true
          ? fakeInference({ spikeCounts: [], potentials: Buffer.alloc(0), readoutDigest: WHOLE_DIGEST })
          : fakeInference(detail === 'LAYERS' || detail === 'RASTER' ? { layers } : {}),
      );
    return told;
  }
  /** Of fakeInference(). */
  const WHOLE_DIGEST = readoutDigest(fakeInference());

  it('is asked of the engine, and in the answer', async () => {
    const only = telling('a');
    const { answer } = await build([only]).reason(question({ detail: 'RASTER' }), context());
    expect([only.calls[0]?.input.detail, answer.inference.layers]).toEqual(['RASTER', layers]);
  });

  it('is not had from an answer that was kept without, nor given to who did not ask', async () => {
    const only = telling('a');
    const router = build([only]);
    const ask = async (detail: Detail): Promise<unknown[]> => {
      const { answer, cache } = await router.reason(question({ cache: 'USE', detail }), context());
      return [cache, answer.inference.layers];
    };
    expect(await ask('SUMMARY')).toEqual(['MISS', undefined]);
    expect(await ask('LAYERS')).toEqual(['MISS', layers]);
    expect(await ask('LAYERS')).toEqual(['HIT', layers]);
    expect(await ask('SUMMARY')).toEqual(['HIT', undefined]);
  });

  it('of a raster passes the cache by', async () => {
    const { router } = buildWhole([telling('a')]);
    const ask = (): Promise<{ cache: string }> =>
      router.reason(question({ cache: 'USE', detail: 'RASTER' }), context());
    expect([(await ask()).cache, (await ask()).cache]).toEqual(['BYPASSED', 'BYPASSED']);
  });

  it('is not shared with who asks for less while it is computed', async () => {
    const only = telling('a');
    const router = build([only]);
    const both = (['SUMMARY', 'LAYERS'] as const).map((detail) =>
      router.reason(question({ cache: 'USE', detail }), context()),
    );
    expect((await Promise.all(both)).map(({ answer }) => answer.inference.layers)).toEqual([undefined, layers]);
  });

  it('counts for what the cache may hold', async () => {
    const plain = (await build([telling('a')]).reason(question(), context())).answer;
    const { answer } = await build([telling('a')]).reason(question({ detail: 'LAYERS' }), context());
    expect(sizeOf(answer) - sizeOf(plain)).toBe(8 * 1 + 200);
  });

  it('of a vote is the winner’s, and no matter to the ballots of those who give digests alone', async () => {
    const engines = ['a', 'b', 'c'].map(telling);
    const asked = question({ detail: 'LAYERS', strategy: 'REDUNDANT' });
    const { answer, grade } = await build(engines).reason(asked, context());
    expect([grade, answer.inference.layers]).toEqual(['UNANIMOUS', layers]);
    expect(engines.map(({ calls }) => calls[0]?.input.digestOnly).filter(Boolean)).toHaveLength(2);
  });

  it('of a vote is asked for again where the one that told it lost', async () => {
    const engines = ['a', 'b', 'c'].map(telling);
    for (const each of engines) {
      const honest = each.behaviour;
      // Whoever is asked for the whole answer first is wrong.
      each.behaviour = async (input, limits) => {
        const isFirst = engines.every(({ calls }) => calls.length <= 1) && input.digestOnly !== true;
        return { ...(await honest(input, limits)), ...(isFirst ? { stateDigest: 1n, layers: [] } : {}) };
      };
    }
    const asked = question({ detail: 'LAYERS', strategy: 'REDUNDANT' });
    const { answer, grade } = await build(engines).reason(asked, context());
    expect([grade, answer.inference.layers]).toEqual(['MAJORITY', layers]);
  });

  it('that is too much is refused as such, also by a vote', async () => {
    const engines = ['a', 'b', 'c'].map(engine);
    for (const each of engines) {
      each.behaviour = () => Promise.reject(new RouterError('DETAIL_TOO_LARGE', 'send fewer steps'));
    }
    const router = build(engines);
    expect(await kindOf(router.reason(question({ detail: 'LAYERS' }), context()))).toBe('DETAIL_TOO_LARGE');
    const voted = router.reason(question({ detail: 'LAYERS', strategy: 'REDUNDANT' }), context());
    expect(await kindOf(voted)).toBe('DETAIL_TOO_LARGE');
  });
});
