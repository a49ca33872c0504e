import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeCall } from '../../../test/fakes/fake-call.ts';
import { FakeEngine, fakeModel, fakePins } from '../../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../../test/fakes/fake-parts.ts';
import { reasoningOptions } from '../../../test/fakes/reasoning-options.ts';
import { version } from '../../../test/fakes/router-parts.ts';
import { packageVersion } from '../../core/package-version.ts';
import { EnginePool } from '../../engines/pool.ts';
import { ModelInferResponse } from '../../generated/inference/grpc_service.ts';
import { codeName } from '../../grpc/status.ts';
import { ModelRepository } from '../../models/repository.ts';
import type { OneRequestMethod } from '../../grpc/method.ts';
import type { ModelPublisher } from '../../publishing/publisher.ts';
import { Catalogue } from './catalogue.ts';
import type { Infer } from './infer.ts';
import { oipMethods } from './methods.ts';
import { InferenceStatistics } from './statistics.ts';

let isReady: boolean;
let published: unknown[][];
let inferred: Parameters<Infer>[];
let catalogue: Catalogue;

beforeEach(() => {
  isReady = true;
  [published, inferred] = [[], []];
  const pool = new EnginePool(fakePins, fakeBreaker);
  pool.add(new FakeEngine('a').up(fakeModel()));
  const versions = [
    ...[version(1), version(2), version(3, { isUnloaded: true })],
    ...[version(1, { name: 'other' }), version(1, { name: 'gone', isUnloaded: true })],
  ];
  catalogue = new Catalogue(new ModelRepository(versions, 'm'), pool);
});

/** The answer, or the code and the text of the refusal. */
function ask(name: string, request: object = {}): Promise<unknown> {
  const publisher = {
    load: (...args: unknown[]) => Promise.resolve(published.push(['load', ...args])),
    unload: (...args: unknown[]) => Promise.resolve(published.push(['unload', ...args])),
  } as unknown as Pick<ModelPublisher, 'load' | 'unload'>;
  const infer: Infer = (...args) => {
    inferred.push(args);
    return Promise.resolve(ModelInferResponse.fromPartial({ id: 'answered' }));
  };
  const methods = oipMethods(
    { infer, catalogue, statistics: new InferenceStatistics(), publisher },
    { ...reasoningOptions({ maxBatchItems: 7 }), isReady: () => isReady },
  );
  const method = methods.find(({ path }) => path === `/inference.GRPCInferenceService/${name}`);
  return new Promise((resolve) => {
    const call: FakeCall<unknown> = new FakeCall((end) =>
      resolve(end === undefined ? call.answers[0] : `${codeName(end.code)}: ${end.message}`),
    );
    (method as OneRequestMethod<unknown, unknown>).handle(call, request);
  });
}

describe('the service of the Open Inference Protocol', () => {
  it('is live even if it is not ready', async () => {
    expect(await ask('ServerReady')).toEqual({ ready: true });
    isReady = false;
    expect([await ask('ServerReady'), await ask('ServerLive')]).toEqual([{ ready: false }, { live: true }]);
  });

  it('describes itself', async () => {
    const extensions = ['model_repository', 'model_configuration', 'statistics'];
    expect(await ask('ServerMetadata')).toEqual({ name: 'tandem', version: packageVersion(), extensions });
  });

  it('describes a model', async () => {
    const model = { name: 'm', version: '1' };
    expect(await ask('ModelReady', model)).toEqual({ ready: true });
    expect(await ask('ModelMetadata', model)).toMatchObject({ name: 'm', platform: 'nir' });
    expect(await ask('ModelConfig', model)).toMatchObject({ config: { name: 'm', maxBatchSize: 7 } });
  });

  it.each([
    [{ name: 'm', version: '2' }, ['m/2']],
    [{ name: '', version: '' }, ['gone/1', 'm/1', 'm/2', 'm/3', 'other/1']],
  ])('returns the statistics of %j', async (model, expected) => {
    const { modelStats } = (await ask('ModelStatistics', model)) as { modelStats: { name: string; version: string }[] };
    expect(modelStats.map(({ name, version }) => `${name}/${version}`)).toEqual(expected);
  });

  it('answers an inference', async () => {
    const request = { id: 'q' };
    expect(await ask('ModelInfer', request)).toMatchObject({ id: 'answered' });
    expect(inferred).toHaveLength(1);
    expect([inferred[0]![0], inferred[0]!.length]).toEqual([request, 2]);
  });

  it('lists its only repository', async () => {
    const listed = async (ready: boolean): Promise<number> =>
      ((await ask('RepositoryIndex', { repositoryName: '', ready })) as { models: unknown[] }).models.length;
    expect([await listed(false), await listed(true)]).toEqual([5, 1]);
    expect(await ask('RepositoryIndex', { repositoryName: 'r', ready: false })).toMatch(
      /^INVALID_ARGUMENT: there is one repository/,
    );
  });
});

describe('a repository over the Open Inference Protocol', () => {
  it.each([
    [{ modelName: 'm', repositoryName: '' }, 'm'],
    [{ modelName: '', repositoryName: 'm' }, 'm'],
    [{ modelName: 'm', repositoryName: 'r' }, 'm'],
  ])('loads the model that %j names', async (request, name) => {
    expect(await ask('RepositoryModelLoad', request)).toEqual({});
    expect(published).toEqual([['load', { name, version: 0, files: undefined, reload: true }]]);
  });

  it.each(['Load', 'Unload'])('refuses to %s a model without a name', async (name) => {
    const answer = await ask(`RepositoryModel${name}`, { modelName: '', repositoryName: '' });
    expect([answer, published]).toEqual([expect.stringMatching(/^INVALID_ARGUMENT: model_name is empty/), []]);
  });

  it('unloads every loaded version of a model, and keeps its files', async () => {
    expect(await ask('RepositoryModelUnload', { modelName: 'm', repositoryName: '' })).toEqual({});
    expect(published).toEqual([
      ['unload', 'm', 1, false],
      ['unload', 'm', 2, false],
    ]);
  });

  it.each(['x', 'gone'])('refuses to unload model %s, which is not loaded', async (modelName) => {
    const answer = await ask('RepositoryModelUnload', { modelName, repositoryName: '' });
    expect([answer, published]).toEqual([expect.stringMatching(/^NOT_FOUND: /), []]);
  });
});
