import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { performance } from 'node:perf_hooks';
import { ModelFolder } from '../../../test/support/model-folder.ts';
import { chain, node, runGraph } from '../../../test/support/run-network.ts';
import { RouterError } from '../../core/errors.ts';
import type { CallContext, InferenceInput } from '../../core/inference.ts';
import type { LocalEngineOptions } from './local-engine.ts';
import { LocalEngine } from './local-engine.ts';

const RUN = 'dt: 1\nsteps: 4';
const lif = node('LIF', { tau: 2, r: 1, v_leak: 0, v_threshold: 1 });
const small = chain(3, 3, { lif });
const fires = node('IF', { r: 1, v_threshold: 0.5 });
const width = 500;
/** Its full 100,000 steps take many seconds. */
const endless = chain(width, width, {
  lif,
  dense: node('Linear', { weight: { shape: [width, width], values: Array(width * width).fill(1e-3) } }),
});

const fewModels = new ModelFolder().add('crash', 1, chain(3, 3, { crash: lif }), RUN).add('small', 1, small, RUN);
const folder = new ModelFolder()
  .add('small', 1, small, RUN)
  .add('small', 2, chain(3, 3, { lif, s: node('Scale', { scale: 2 }) }), RUN)
  .add('small', 10, Buffer.from('not HDF5'), RUN)
  .add('broken', 1, small, 'dt: 1\nstepz: 4')
  .add('series', 1, small, 'dt: 1\ninput: {kind: series}')
  .add('deep', 1, chain(1, 1, { a: fires, b: fires, c: fires }), 'dt: 1\ninput: {kind: series}')
  .add('endless', 1, endless, 'dt: 1\nsteps: 100000')
  .add('overflow', 1, chain(1, 1, { big: node('Scale', { scale: 1e38 }) }), RUN);

const engines: LocalEngine[] = [];
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop()));
});

/** Shared by the tests that need no engine of their own. */
let shared: LocalEngine;
beforeAll(async () => {
  shared = new LocalEngine({ id: 'local', modelsDir: folder.path, workers: 1 });
  await shared.start();
});
afterAll(async () => {
  await shared.stop();
  folder.remove();
  fewModels.remove();
});

async function start(options: Partial<LocalEngineOptions> = {}): Promise<LocalEngine> {
  const engine = new LocalEngine({ id: 'local', modelsDir: fewModels.path, workers: 1, ...options });
  engines.push(engine);
  await engine.start();
  return engine;
}

function input(model: string, values: readonly number[], over: Partial<InferenceInput> = {}): InferenceInput {
  return { model, version: 0, shape: [values.length], data: new Uint8Array(Float32Array.from(values).buffer), ...over };
}

function context(over: Partial<CallContext> = {}): CallContext {
  return { deadlineMs: Infinity, signal: new AbortController().signal, ...over };
}

async function refusal(answer: Promise<unknown>): Promise<unknown[]> {
  const error = await answer.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof RouterError ? [error.kind, error.metadata, error.violation?.field] : [error];
}

const LEFT = new RouterError('CANCELLED', 'left');
const long = input('endless', Array<number>(width).fill(3));

describe('LocalEngine', () => {
  it('describes every version of every model, with its error', () => {
    const { description } = shared;
    expect(description).toMatchObject({
      build: expect.stringMatching(/^tandem-local .* node-.* v8-/),
      numericsVersion: 1,
    });
    const listed = description!.models.map(({ name, version, error }) => [name, version, error]);
    expect(listed).toEqual([
      ['broken', 1, 'model.yaml: key "stepz": is not a setting'],
      ['deep', 1, ''],
      ['endless', 1, ''],
      ['overflow', 1, ''],
      ['series', 1, ''],
      ['small', 1, ''],
      ['small', 2, ''],
      ['small', 10, 'model.nir: is not an HDF5 file, or is truncated'],
    ]);
  });

  it('returns the simulator’s result', async () => {
    const engine = shared;
    const answer = await engine.infer(input('small', [3, 0, 1], { version: 1 }), context());
    const run = runGraph(small, RUN, [3, 0, 1]);
    expect({ ...answer, spikeCounts: [...answer.spikeCounts] }).toMatchObject({
      modelVersion: 1,
      steps: 4,
      spikeCounts: [...run.spikeCounts],
      totalSpikes: BigInt(run.totalSpikes),
      synapticOperations: 0n,
    });
    expect(Buffer.from(answer.potentials).equals(Buffer.from(run.potentials.buffer))).toBe(true);
  });

  it('returns no arrays if only digests are requested', async () => {
    const whole = await shared.infer(input('small', [3, 0, 1]), context());
    const digests = await shared.infer(input('small', [3, 0, 1], { digestOnly: true }), context());
    expect([digests.spikeCounts, digests.potentials]).toEqual([[], new Uint8Array(0)]);
    expect([digests.stateDigest, digests.readoutDigest]).toEqual([whole.stateDigest, whole.readoutDigest]);
    expect(whole.spikeCounts).toHaveLength(3);
  });

  it('answers many concurrent requests, each with its own result', async () => {
    const engine = await start({ workers: 2 });
    const values = Array.from({ length: 200 }, (_, n) => [n / 40, 1, 0]);
    const answers = await Promise.all(
      values.map((one) => engine.infer(input('small', one, { version: 1 }), context())),
    );
    expect(answers.map(({ stateDigest, spikeCounts }) => [stateDigest !== 0n, [...spikeCounts]])).toEqual(
      values.map((one) => [true, [...runGraph(small, RUN, one).spikeCounts]]),
    );
    expect(engine.inFlight).toBe(0);
  });

  it('accepts data at an unaligned offset', async () => {
    const engine = shared;
    const plain = input('small', [3, 0, 1]);
    const larger = new Uint8Array(100);
    larger.set(plain.data, 5);
    const answers = [plain, { ...plain, data: larger.subarray(5, 17) }].map((one) => engine.infer(one, context()));
    const [a, b] = await Promise.all(answers);
    expect(a!.stateDigest).toBe(b!.stateDigest);
  });

  it('uses the highest usable version for version 0', async () => {
    const engine = shared;
    expect((await engine.infer(input('small', [1, 1, 1]), context())).modelVersion).toBe(2);
  });

  it.each<[string, InferenceInput, unknown[]]>([
    ['an unknown model', input('none', [1]), ['UNKNOWN_MODEL', {}, undefined]],
    ['an unknown version', input('small', [1, 1, 1], { version: 7 }), ['UNKNOWN_MODEL', {}, undefined]],
    ['a broken model', input('broken', [1, 1, 1]), ['MODEL_INVALID', {}, undefined]],
    ['a broken version', input('small', [1, 1, 1], { version: 10 }), ['MODEL_INVALID', {}, undefined]],
    ['a wrong length', input('small', [1, 1]), ['INPUT_LENGTH', { field: 'shape' }, 'shape']],
    ['missing data', input('small', [1, 1], { shape: [3] }), ['INPUT_LENGTH', { field: 'data' }, 'data']],
    [
      'a series for a constant',
      input('small', [1, 1, 1], { shape: [1, 3] }),
      ['INPUT_KIND', { field: 'shape' }, 'shape'],
    ],
    ['a constant for a series', input('series', [1, 1, 1]), ['INPUT_KIND', { field: 'shape' }, 'shape']],
    ['no steps', input('series', [], { shape: [0, 3] }), ['INPUT_STEPS', { field: 'shape' }, 'shape']],
    ['a NaN', input('small', [1, NaN, 1]), ['INPUT_NOT_FINITE', { field: 'data', index: '1' }, 'data']],
    ['an overflow', input('overflow', [100]), ['NON_FINITE', { step: '0', node: 'big' }, undefined]],
  ])('refuses %s', async (_, bad, expected) => {
    const engine = shared;
    expect(await refusal(engine.infer(bad, context()))).toEqual(expected);
    expect(engine.inFlight).toBe(0);
  });

  it('is down and says why if the model repository does not exist', async () => {
    const engine = await start({ modelsDir: '/nowhere' });
    expect([engine.description, engine.downReason]).toEqual([undefined, expect.stringContaining('/nowhere')]);
    expect(await refusal(engine.infer(input('small', [1, 1, 1]), context()))).toEqual(['ENGINE_LOST', {}, undefined]);
  });
});

describe('LocalEngine with detail', () => {
  const deep = (steps: number, over: Partial<InferenceInput>): InferenceInput =>
    input('deep', Array<number>(steps).fill(0), { shape: [steps, 1], ...over });

  it('returns layers on request, with the same answer', async () => {
    const plain = await shared.infer(input('small', [3, 0, 3]), context());
    const answer = await shared.infer(input('small', [3, 0, 3], { detail: 'RASTER' }), context());
    const [layer] = answer.layers!;
    expect(layer).toMatchObject({ node: 'lif', neurons: 3, spikes: Number(plain.totalSpikes), eventsLeftOut: 0 });
    expect([layer!.spikesPerStep.length, layer!.eventSteps.length]).toEqual([4, Number(plain.totalSpikes)]);
    expect(plain.layers).toBeUndefined();
    expect([answer.stateDigest, answer.readoutDigest]).toEqual([plain.stateDigest, plain.readoutDigest]);
  });

  it('returns the readout of each step on request, with the same answer', async () => {
    const plain = await shared.infer(input('small', [3, 0, 3], { version: 1 }), context());
    const answer = await shared.infer(input('small', [3, 0, 3], { version: 1, detail: 'READOUT' }), context());
    const rows = new Float32Array(answer.readoutPerStep!.slice().buffer);
    const outputs = plain.spikeCounts.length;
    const counts = plain.spikeCounts.map((_, k) => rows.reduce((sum, y, at) => sum + (at % outputs === k ? y : 0), 0));
    expect([rows.length, counts]).toEqual([outputs * plain.steps, plain.spikeCounts]);
    expect([answer.layers, answer.stateDigest]).toEqual([undefined, plain.stateDigest]);
  });

  it('returns no layers if only digests are requested', async () => {
    const digests = await shared.infer(input('small', [3, 0, 3], { detail: 'RASTER', digestOnly: true }), context());
    expect(digests.layers).toBeUndefined();
  });

  it('refuses too many steps for LAYERS, even if only digests are requested', async () => {
    expect((await shared.infer(deep(83_333, { detail: 'LAYERS' }), context())).layers).toHaveLength(3);
    for (const digestOnly of [false, true]) {
      const answer = shared.infer(deep(83_334, { detail: 'LAYERS', digestOnly }), context());
      expect(await refusal(answer)).toEqual(['DETAIL_TOO_LARGE', { max_counts: '250000' }, undefined]);
    }
    expect((await shared.infer(deep(83_334, {}), context())).steps).toBe(83_334);
  });
});

describe('a long simulation', () => {
  it('ends at its deadline and frees the worker', async () => {
    const engine = shared;
    const deadlineMs = performance.now() + 30;
    expect((await refusal(engine.infer(long, context({ deadlineMs }))))[0]).toBe('DEADLINE_EXCEEDED');
    expect((await engine.infer(input('small', [1, 1, 1]), context())).steps).toBe(4);
  });

  it('ends if the caller cancels, and frees the worker', async () => {
    const engine = shared;
    const caller = new AbortController();
    const answer = refusal(engine.infer(long, context({ signal: caller.signal })));
    const behind = engine.infer(input('small', [1, 1, 1]), context());
    setImmediate(() => caller.abort(LEFT));
    expect((await answer)[0]).toBe('CANCELLED');
    expect((await behind).steps).toBe(4);
  });

  it('leaves the event loop free', async () => {
    const engine = shared;
    await engine.infer(input('small', [1, 1, 1]), context());
    const before = performance.eventLoopUtilization();
    await refusal(engine.infer(long, context({ deadlineMs: performance.now() + 300 })));
    expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);
  });

  it('counts against maxInFlight', async () => {
    const engine = await start({ maxInFlight: 2, modelsDir: folder.path });
    const caller = new AbortController();
    const answers = [1, 2, 3].map(() => refusal(engine.infer(long, context({ signal: caller.signal }))));
    expect((await answers[2])![0]).toBe('ENGINE_FULL');
    caller.abort(LEFT);
    expect((await Promise.all(answers)).map(([kind]) => kind)).toEqual(['CANCELLED', 'CANCELLED', 'ENGINE_FULL']);
  });

  it('rejects with the caller’s reason, and concurrent stops are allowed', async () => {
    const engine = await start({ modelsDir: folder.path });
    const caller = new AbortController();
    const answer = engine.infer(long, context({ signal: caller.signal }));
    const why = new RouterError('DEADLINE_EXCEEDED', 'no time left');
    setImmediate(() => caller.abort(why));
    await expect(answer).rejects.toBe(why);
    await Promise.all([engine.stop(), engine.stop()]);
    expect(engine.downReason).toBe('stopped');
  });

  it('is not started for a cancelled or expired request', async () => {
    const engine = shared;
    expect((await refusal(engine.infer(long, context({ signal: AbortSignal.abort(LEFT) }))))[0]).toBe('CANCELLED');
    expect((await refusal(engine.infer(long, context({ deadlineMs: performance.now() }))))[0]).toBe(
      'DEADLINE_EXCEEDED',
    );
  });
});

describe('LocalEngine.stop', () => {
  it('finishes requests in flight and refuses new ones', async () => {
    const engine = await start();
    const answer = engine.infer(input('small', [1, 1, 1]), context());
    const stopped = engine.stop();
    expect((await refusal(engine.infer(input('small', [1, 1, 1]), context())))[0]).toBe('DRAINING');
    await stopped;
    expect((await answer).steps).toBe(4);
    expect([engine.description, engine.downReason]).toEqual([undefined, 'stopped']);
  });
});

const simulationScript = new URL('../../../test/support/crashing-simulation.ts', import.meta.url);

describe('a worker that crashes', () => {
  it('fails its jobs with ENGINE_LOST and is restarted', async () => {
    const engine = await start({ simulationScript });
    const states: string[] = [];
    const back = new Promise<void>((resolve) => {
      engine.onChange(() => {
        states.push(engine.description === undefined ? engine.downReason : 'up');
        if (engine.description !== undefined) resolve();
      });
    });
    const lost = [1, 2].map(() => refusal(engine.infer(input('crash', [1, 1, 1]), context())));
    expect((await Promise.all(lost)).map(([kind]) => kind)).toEqual(['ENGINE_LOST', 'ENGINE_LOST']);
    expect((await refusal(engine.infer(input('small', [1, 1, 1]), context())))[0]).toBe('ENGINE_LOST');
    await back;
    expect(states).toEqual(['its worker exited', 'up']);
    expect((await engine.infer(input('small', [1, 1, 1]), context())).steps).toBe(4);
    expect(engine.inFlight).toBe(0);
  });

  it('does not take the engine down if another worker runs', async () => {
    const engine = await start({ simulationScript, workers: 2 });
    expect((await refusal(engine.infer(input('crash', [1, 1, 1]), context())))[0]).toBe('ENGINE_LOST');
    expect((await engine.infer(input('small', [1, 1, 1]), context())).steps).toBe(4);
  });
});

describe('LocalEngine.unloadModel', () => {
  const one = input('small', [1, 1, 1], { version: 1 });
  const other = input('small', [1, 1, 1], { version: 2 });

  it('removes the network from the workers before the next input', async () => {
    const engine = await start({ simulationScript, modelsDir: folder.path });
    await engine.unloadModel('small', 1);
    expect((await refusal(engine.infer(other, context())))[0]).toBe('ENGINE_LOST');
  });

  it('removes the network after the inputs that wait for it', async () => {
    const engine = await start({ simulationScript, modelsDir: folder.path });
    const waiting = engine.infer(one, context());
    await engine.unloadModel('small', 1);
    expect((await waiting).steps).toBe(4);
    expect((await refusal(engine.infer(other, context())))[0]).toBe('ENGINE_LOST');
  });
});
