import { beforeEach, describe, expect, it } from '@jest/globals';
import { callMethod, unaryOptions } from '../../test/fakes/call-method.ts';
import { FakeEngine, fakeModel, fakePinned, fakePins, fakePinsOf } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../test/fakes/fake-parts.ts';
import { engine, version } from '../../test/fakes/router-parts.ts';
import { refusalOf } from '../../test/support/refusal.ts';
import type { ModelPins } from '../engines/model-pins.ts';
import { EnginePool } from '../engines/pool.ts';
import {
  GetModelRequest,
  LoadModelRequest,
  MakeGoldenRequest,
  type Model,
  ModelServiceService,
  ModelState,
  UnloadModelRequest,
} from '../generated/tandem/v1/models.ts';
import type { Method } from '../grpc/method.ts';
import { ModelRepository, type ModelVersion } from '../models/repository.ts';
import type { ModelPublisher } from '../publishing/publisher.ts';
import { modelMethods } from './models.ts';

type Load = Parameters<ModelPublisher['load']>[0];
const GOLDEN = { name: '', data: Buffer.alloc(12), shape: undefined, stateDigest: 1n, readoutDigest: undefined };

let requests: unknown[];

beforeEach(() => {
  requests = [];
});

/** ModelService with those versions, and engines that hold m/1. */
function methodsOf(
  versions: readonly ModelVersion[],
  engines: readonly FakeEngine[] = [],
  pins: ModelPins = fakePins,
): Method[] {
  const pool = new EnginePool(pins, fakeBreaker);
  for (const each of engines) pool.add(each);
  const [first] = versions;
  const publisher = {
    load: async (request: Load) => {
      requests.push(request);
      const loads = [{ engineId: 'a', tookMs: 5 }];
      return { version: first!, wasServed: true, engines: loads, knownInputs: 4 };
    },
    unload: async (...args: unknown[]) => {
      requests.push(args);
      return { version: first!, drained: 6, isRemembered: true };
    },
    makeGolden: async (...args: unknown[]) => {
      requests.push(args);
      return { version: first!, cases: 3, engineIds: ['a', 'b'], kinds: 2 };
    },
  };
  return modelMethods(new ModelRepository(versions, 'm'), pool, publisher, unaryOptions());
}

async function list(...args: Parameters<typeof methodsOf>): Promise<Model[]> {
  return (await callMethod(methodsOf(...args), ModelServiceService.listModels, {})).models;
}

async function get(args: Parameters<typeof methodsOf>, model = '', modelVersion = 0): Promise<Model> {
  const request = GetModelRequest.fromPartial({ model, modelVersion });
  return (await callMethod(methodsOf(...args), ModelServiceService.getModel, request)).model!;
}

describe('a model', () => {
  it('that is served is shown with its sizes, its engines and its settings', async () => {
    expect(await list([version(1, { golden: [GOLDEN], defaults: ['steps 16'] })], [engine('a'), engine('b')])).toEqual([
      {
        ...{ name: 'm', version: 1, state: ModelState.MODEL_STATE_SERVED, isLatest: true, error: '', problems: [] },
        ...{ inputShape: [3], inputKind: 'constant', outputSize: 2, labels: ['yes', 'no'], steps: 16, dt: 1e-3 },
        ...{ modelId: 7n, parameters: 6n, engineIds: ['a', 'b'], defaults: ['steps 16'], goldenVectors: 1 },
        ...{ takesText: false, maxTextBytes: 0, tokenizerDigest: 0n, encoder: '', events: undefined },
      },
    ]);
  });

  it('that no engine holds is not served', async () => {
    const [shown] = await list([version(1)]);
    expect(shown).toMatchObject({ state: ModelState.MODEL_STATE_NOT_SERVED, engineIds: [], isLatest: true });
  });

  it('that is unloaded has no engines and no network, though an engine still holds it', async () => {
    expect(await list([version(1, { isUnloaded: true })], [engine('a')])).toMatchObject([
      {
        ...{ state: ModelState.MODEL_STATE_UNLOADED, isLatest: false, engineIds: [] },
        ...{ outputSize: 0, modelId: 0n, parameters: 0n, error: '' },
      },
    ]);
  });

  it('with an invalid manifest has its error and no engines', async () => {
    const [shown] = await list([version(1, { error: 'bad manifest' })], [engine('a')]);
    expect(shown).toMatchObject({ error: 'bad manifest', engineIds: [], state: ModelState.MODEL_STATE_NOT_SERVED });
  });

  it('with an invalid network has the error of the network, unless its manifest has one', async () => {
    const pins = fakePinsOf({ error: 'bad network' });
    const versions = [version(1), version(2, { error: 'bad manifest' })];
    expect((await list(versions, [], pins)).map(({ error }) => error)).toEqual(['bad network', 'bad manifest']);
  });

  it.each<[string, ModelPins, number[]]>([
    ['the size of the network', fakePins, [3]],
    ['nothing while the network is not read', { find: () => undefined }, []],
    ['nothing if the network is invalid', fakePinsOf({ error: 'bad network' }), []],
  ])('without an input shape in its manifest shows %s', async (_, pins, inputShape) => {
    const [shown] = await list([version(1, { inputShape: undefined })], [], pins);
    expect(shown!.inputShape).toEqual(inputShape);
  });

  it('with a tokenizer takes text of a limited length', async () => {
    const tokenizer = { digest: 5n } as ModelVersion['tokenizer'];
    const [shown] = await list([version(1, { tokenizer })]);
    expect(shown).toMatchObject({ takesText: true, maxTextBytes: 8_192, tokenizerDigest: 5n });
  });

  it('is shown with its encoder and its event bins', async () => {
    const bins = { width: 4, height: 3, polarity: 'merge', value: 'count', order: 'chw' };
    const encoder = { kind: 'delta' } as unknown as ModelVersion['encoder'];
    const [shown] = await list([
      version(1, { encoder, events: { ...bins, bin_us: 1_000 } as unknown as ModelVersion['events'] }),
    ]);
    expect(shown).toMatchObject({ encoder: 'delta', events: { ...bins, binUs: 1_000 } });
  });

  it('has the problems that engines have with it, not those with other versions', async () => {
    const odd = new FakeEngine('odd').up(fakeModel({ modelId: 8n }), fakeModel({ version: 2 }));
    const [first, second] = await list([version(1), version(2)], [engine('a'), odd]);
    expect(first!.problems).toEqual([{ engineId: 'odd', why: expect.stringMatching(/^it holds other weights/) }]);
    expect([first!.engineIds, second!.engineIds, second!.problems]).toEqual([['a'], ['odd'], []]);
  });

  it('is looked up under the name by which engines hold it', async () => {
    const held = new FakeEngine('a').up(fakeModel({ name: 'm@2' }));
    const pins: ModelPins = {
      find: (name, number) => (name === 'm@2' ? fakePinned({ name, version: number }) : undefined),
    };
    const [shown] = await list([version(1, { heldAs: 'm@2' })], [held], pins);
    expect(shown).toMatchObject({ name: 'm', engineIds: ['a'], modelId: 7n });
  });

  it.each([
    [1, [true, false]],
    [2, [false, true]],
  ])('is the latest if it is the highest version that engines serve: %d', async (held, latest) => {
    const holder = new FakeEngine('a').up(fakeModel({ version: held }));
    expect((await list([version(1), version(2)], [holder])).map(({ isLatest }) => isLatest)).toEqual(latest);
  });
});

describe('ListModels', () => {
  it('names the default model', async () => {
    const { defaultModel } = await callMethod(methodsOf([version(1)]), ModelServiceService.listModels, {});
    expect(defaultModel).toBe('m');
  });
});

describe('GetModel', () => {
  it('returns the version that a request without one means', async () => {
    expect((await get([[version(1), version(2)], [engine('a')]])).version).toBe(1);
  });

  it('returns the requested version', async () => {
    expect((await get([[version(1), version(2)], [engine('a')]], 'm', 2)).version).toBe(2);
  });

  it('refuses an unknown model', async () => {
    expect((await refusalOf(get([[version(1)]], 'x'))).reason).toBe('UNKNOWN_MODEL');
  });
});

describe('LoadModel', () => {
  const load = (over: Partial<LoadModelRequest>) => {
    const request = LoadModelRequest.fromPartial({ name: 'm', ...over });
    return callMethod(methodsOf([version(1)]), ModelServiceService.loadModel, request);
  };

  it('returns the version and what its load took', async () => {
    expect(await load({})).toMatchObject({
      ...{ model: { name: 'm', version: 1 }, wasServed: true, knownInputs: 4 },
      engines: [{ engineId: 'a', tookMs: 5 }],
    });
  });

  it('without files loads from the repository', async () => {
    await load({ version: 3, reload: true });
    expect(requests).toEqual([{ name: 'm', version: 3, files: undefined, reload: true }]);
  });

  it('passes on the files', async () => {
    const files = { manifest: 'dt: 1', labels: 'a', golden: 'g' };
    await load({ nir: Buffer.of(1), ...files });
    expect(requests).toMatchObject([{ version: 0, reload: false, files: { ...files, nir: Buffer.of(1) } }]);
  });

  it.each([{ manifest: '' }, { labels: 'a' }, { golden: 'g' }])('refuses %j without the network', async (over) => {
    expect(await refusalOf(load(over))).toMatchObject({ reason: 'INVALID_FIELD', field: 'nir' });
    expect(requests).toEqual([]);
  });
});

describe('UnloadModel', () => {
  it('returns the version and what its end took', async () => {
    const request = UnloadModelRequest.fromPartial({ name: 'm', version: 2, deleteFiles: true });
    const response = await callMethod(methodsOf([version(1)]), ModelServiceService.unloadModel, request);
    expect(response).toMatchObject({ model: { name: 'm', version: 1 }, drained: 6, isRemembered: true });
    expect(requests).toEqual([['m', 2, true]]);
  });
});

describe('MakeGolden', () => {
  it.each([
    [0, 8],
    [1, 1],
    [9, 9],
  ])('for %d cases makes %d', async (cases, made) => {
    const request = MakeGoldenRequest.fromPartial({ name: 'm', version: 2, cases, replace: true });
    const response = await callMethod(methodsOf([version(1)]), ModelServiceService.makeGolden, request);
    expect(response).toMatchObject({ model: { version: 1 }, cases: 3, engineIds: ['a', 'b'], engineKinds: 2 });
    expect(requests).toEqual([['m', 2, made, true]]);
  });
});

describe('a change of models', () => {
  const { loadModel, unloadModel, makeGolden } = ModelServiceService;
  const methods = methodsOf([version(1)]);

  it.each([
    ['LoadModel', () => callMethod(methods, loadModel, LoadModelRequest.fromPartial({}))],
    ['UnloadModel', () => callMethod(methods, unloadModel, UnloadModelRequest.fromPartial({}))],
    ['MakeGolden', () => callMethod(methods, makeGolden, MakeGoldenRequest.fromPartial({}))],
  ])('needs the name of a model: %s', async (_, call) => {
    expect(await refusalOf(call())).toMatchObject({ reason: 'INVALID_FIELD', field: 'name' });
    expect(requests).toEqual([]);
  });
});
