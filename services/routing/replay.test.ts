import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeEngine, fakeInference } from '../../test/fakes/fake-engine.ts';
import { ModelFolder } from '../../test/support/model-folder.ts';
import { matrix } from '../../test/support/nir-writer.ts';
import { chain, node } from '../../test/support/run-network.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext, InferenceInput } from '../core/inference.ts';
import type { EngineModel, Trace } from '../engines/engine.ts';
import { LocalEngine } from '../engines/local/local-engine.ts';
import { RepositoryModels } from '../engines/local/repository-models.ts';
import { EnginePool } from '../engines/pool.ts';
import { readoutDigest } from '../engines/readout-digest.ts';
import { replayInput } from './replay.ts';

const BREAKER = { failurePercent: 50, minRequests: 5, windowMs: 1_000, resetMs: 100 };

/** Two neurons behind two weights; at 2 and 4, the second fires in step 1. */
const graph = chain(2, 2, {
  dense: node('Linear', { weight: matrix([1, 0], [0, 1]) }),
  lif: node('LIF', { tau: 2, r: 1, v_leak: 0, v_threshold: 2.5 }),
});
const folder = new ModelFolder().add('m', 1, graph, 'dt: 1\nsteps: 4');
const input: InferenceInput = { model: 'm', version: 1, shape: [2], data: Buffer.from(Float32Array.of(2, 4).buffer) };

const models = new RepositoryModels({ modelsDir: folder.path, keepsNetworks: true });
const real = new LocalEngine({ id: 'real', modelsDir: folder.path, models, workers: 1 });
let model: EngineModel;
let pool: EnginePool;

beforeAll(async () => {
  await real.start();
  model = real.description!.models[0]!;
});

afterAll(async () => {
  await real.stop();
  folder.remove();
});

beforeEach(() => {
  pool = new EnginePool(models, BREAKER);
  pool.add(real);
});

function context(over: Partial<CallContext> = {}): CallContext {
  return { deadlineMs: Infinity, signal: new AbortController().signal, ...over };
}

/** Answers and traces like the real engine, unless a test changes it. */
function mirror(id: string): FakeEngine {
  const engine = new FakeEngine(id);
  engine.behaviour = (input, limits) => real.infer(input, limits);
  engine.tracing = (input, place, limits) => real.trace(input, place, limits);
  engine.up(model);
  pool.add(engine);
  return engine;
}

/** Answers and computes something else from `step` on: neuron `element` of "lif" has one bit more. */
function dissent(engine: FakeEngine, step: number, element: number): void {
  engine.behaviour = async (input, limits) => {
    const answer = await real.infer(input, limits);
    return { ...answer, stateDigest: answer.stateDigest ^ 1n, readoutDigest: 0n };
  };
  engine.tracing = async (input, place, limits): Promise<Trace> => {
    const truth = await real.trace(input, place, limits);
    if (place === undefined) {
      const from = step * truth.nodes.length + truth.nodes.indexOf('lif');
      return { ...truth, digests: truth.digests.map((digest, at) => (at >= from ? digest ^ 1n : digest)) };
    }
    if (place.step < step || place.node !== 'lif') return truth;
    const potential = Uint8Array.from(truth.potential);
    potential[4 * element]! ^= 1;
    return { ...truth, potential };
  };
}

describe('replayInput', () => {
  it('returns the digests of each engine and no difference if they agree', async () => {
    mirror('twin');
    const { engines, differences } = await replayInput(pool, input, context());
    const answer = await real.infer(input, context());
    const same = { stateDigest: answer.stateDigest, readoutDigest: readoutDigest(answer), error: '' };
    expect(engines).toMatchObject([
      { id: 'real', build: expect.stringMatching(/^tandem-local /), ...same },
      { id: 'twin', build: 'build of twin', ...same },
    ]);
    expect(differences).toEqual([]);
  });

  it('names the first step, node, neuron and both values that differ', async () => {
    mirror('twin');
    dissent(mirror('other'), 2, 1);
    const { engines, differences } = await replayInput(pool, input, context());
    // Neuron 1: v = 2, then 3 fires and is 0, then 2 again.
    expect(differences).toEqual([
      {
        engineId: 'other',
        referenceId: 'real',
        step: 2,
        node: 'lif',
        element: 1,
        quantity: 'potential',
        valueBits: 0x40000001,
        referenceBits: 0x40000000,
      },
    ]);
    expect(engines.map(({ error }) => error)).toEqual(['', '', '']);
  });

  it('says so if an engine no longer differs when it is asked again', async () => {
    const other = mirror('other');
    dissent(other, 2, 1);
    const { tracing } = other;
    other.tracing = (input, place, limits) =>
      (place === undefined ? tracing : real.trace.bind(real))(input, place, limits);
    const { engines, differences } = await replayInput(pool, input, context());
    const error = 'it differed at step 2, node "lif", and no more when it was asked again';
    expect([differences, engines.map((each) => each.error)]).toEqual([[], ['', error]]);
  });

  it('compares the minority with the majority, in any order of the pool', async () => {
    pool = new EnginePool(models, BREAKER);
    dissent(mirror('other'), 0, 0);
    pool.add(real);
    mirror('twin');
    const [difference] = (await replayInput(pool, input, context())).differences;
    expect(difference).toMatchObject({ engineId: 'other', referenceId: 'real', step: 0, node: 'lif', element: 0 });
  });

  it('names engines that cannot trace, and compares the others', async () => {
    pool = new EnginePool(models, BREAKER);
    mirror('older').tracing = () => Promise.reject(new RouterError('ENGINE_FAULT', 'engine "older" cannot trace'));
    pool.add(real);
    dissent(mirror('other'), 1, 0);
    const odd = mirror('odd');
    odd.behaviour = () => Promise.resolve(fakeInference({ steps: 4, totalSpikes: 0n, synapticOperations: 0n }));
    odd.tracing = () => Promise.reject(new RouterError('ENGINE_FAULT', 'engine "odd" cannot trace'));
    const { engines, differences } = await replayInput(pool, input, context());
    expect(differences).toMatchObject([{ engineId: 'other', referenceId: 'real' }]);
    expect(engines.map(({ id, error }) => [id, error])).toEqual([
      ['older', ''],
      ['real', ''],
      ['other', ''],
      ['odd', 'where it differs is not known: engine "odd" cannot trace'],
    ]);
  });

  it('says so if no engine of the majority can trace', async () => {
    pool = new EnginePool(models, BREAKER);
    for (const id of ['a', 'b']) mirror(id).tracing = () => Promise.reject(new RouterError('ENGINE_FAULT', 'no'));
    dissent(mirror('other'), 1, 0);
    const { engines, differences } = await replayInput(pool, input, context());
    expect([differences, engines[2]?.error]).toEqual([
      [],
      expect.stringMatching(/^where it differs is not known.*no$/),
    ]);
  });

  it('reports an answer that was altered after it was computed', async () => {
    mirror('twin');
    mirror('liar').behaviour = async (input, limits) => {
      const answer = await real.infer(input, limits);
      return { ...answer, spikeCounts: [4, 4] };
    };
    const { engines } = await replayInput(pool, input, context());
    expect(engines[2]).toMatchObject({
      stateDigest: undefined,
      error: expect.stringMatching(
        /a readout digest that does not match the returned bytes; its trace shows no difference/,
      ),
    });
  });

  it('compares a refusal like an answer', async () => {
    const refuse = (kind: 'NON_FINITE' | 'ENGINE_FULL') => () => Promise.reject(new RouterError(kind, 'on purpose'));
    mirror('twin');
    mirror('strict').behaviour = refuse('NON_FINITE');
    mirror('busy').behaviour = refuse('ENGINE_FULL');
    const { engines, differences } = await replayInput(pool, input, context());
    expect(engines.slice(2).map(({ id, error }) => [id, error])).toEqual([
      [
        'strict',
        expect.stringMatching(/^NON_FINITE: a value of model m.1 is not finite; .*; its trace shows no difference/),
      ],
      ['busy', 'ENGINE_FULL: on purpose'],
    ]);
    expect(differences).toEqual([]);
  });

  it('names engines that are down or hold another model', async () => {
    mirror('away').down('gone');
    mirror('empty').up();
    mirror('broken').up({ ...model, error: 'no weights' });
    mirror('retrained').up({ ...model, modelId: 1n });
    const { engines } = await replayInput(pool, input, context());
    expect(engines.map(({ error }) => error)).toEqual([
      '',
      'down: gone',
      'it does not hold model m/1',
      'it cannot use model m/1: no weights',
      expect.stringMatching(/^it holds other weights or run settings: model id 0{15}1, not [0-9a-f]{16}$/),
    ]);
  });

  it('asks draining engines, too', async () => {
    pool.setDraining(pool.find('real'), true);
    const { engines } = await replayInput(pool, input, context());
    expect(engines[0]?.error).toBe('');
    expect([pool.find('real').succeeded, pool.find('real').failed]).toEqual([0, 0]);
  });

  it('waits for an engine only for its share of the time', async () => {
    mirror('stuck').behaviour = () => new Promise(() => undefined);
    const { engines } = await replayInput(pool, input, context({ deadlineMs: performance.now() + 2_000 }));
    expect(engines.map(({ error }) => error)).toEqual([
      '',
      expect.stringMatching(/^ENGINE_SLOW: no answer within \d+ ms$/),
    ]);
  });

  it('ends if the caller leaves', async () => {
    mirror('stuck').behaviour = () => new Promise(() => undefined);
    const caller = new AbortController();
    const replaying = replayInput(pool, input, context({ signal: caller.signal }));
    caller.abort(new RouterError('CANCELLED', 'left'));
    await expect(replaying).rejects.toMatchObject({ kind: 'CANCELLED' });
  });

  it('takes version 0 for the highest held, and refuses a version that is not held', async () => {
    const { engines } = await replayInput(pool, { ...input, version: 0 }, context());
    expect(engines[0]?.error).toBe('');
    await expect(replayInput(pool, { ...input, version: 7 }, context())).rejects.toMatchObject({
      kind: 'UNKNOWN_MODEL',
      message: 'no engine holds model "m" version 7',
    });
  });
});
