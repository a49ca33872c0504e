import { getEventListeners } from 'node:events';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeEngine, fakeModel, fakePins } from '../../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../../test/fakes/fake-parts.ts';
import { version } from '../../../test/fakes/router-parts.ts';
import { RouterError } from '../../core/errors.ts';
import { packageVersion } from '../../core/package-version.ts';
import { EnginePool } from '../../engines/pool.ts';
import { InferTensorContents, ModelInferResponse } from '../../generated/inference/grpc_service.ts';
import { ReasonResponse } from '../../generated/tandem/v1/reasoning.ts';
import { ModelRepository } from '../../models/repository.ts';
import { Catalogue } from './catalogue.ts';
import { type HttpAnswer, oipHttp } from './http.ts';
import type { Infer } from './infer.ts';
import { InferenceStatistics } from './statistics.ts';

const INPUTS = [{ name: 'input', datatype: 'FP32', shape: [3], data: [1, 2, 3] }];

let isReady: boolean;
let statistics: InferenceStatistics;
let catalogue: Catalogue;
/** Arguments of the latest inference. */
let inferred: Parameters<Infer> | undefined;
let infer: Infer;
let caller: AbortController;

beforeEach(() => {
  isReady = true;
  inferred = undefined;
  caller = new AbortController();
  statistics = new InferenceStatistics();
  const pool = new EnginePool(fakePins, fakeBreaker);
  pool.add(new FakeEngine('a').up(fakeModel()));
  const versions = [version(1), version(2, { error: 'damaged' }), version(1, { name: 'a b' })];
  catalogue = new Catalogue(new ModelRepository(versions, 'm'), pool);
  infer = (...args) => {
    inferred = args;
    const contents = InferTensorContents.fromPartial({ fp32Contents: [0.5, 0.25] });
    const output = { name: 'scores', datatype: 'FP32', shape: [2n], parameters: {}, contents };
    return Promise.resolve(ModelInferResponse.fromPartial({ modelName: 'm', modelVersion: '1', outputs: [output] }));
  };
});

interface Over {
  readonly body?: unknown;
  readonly owner?: object;
  readonly deadlineMs?: number;
}

function call(method: string, path: string, { body, owner, deadlineMs = Infinity }: Over = {}) {
  const answer = oipHttp({
    ...{ catalogue, statistics, isReady: () => isReady, maxItems: () => 7 },
    infer: (...args) => infer(...args),
  });
  return answer({
    ...{ method, path, headerBytes: NaN, deadlineMs, signal: caller.signal, owner },
    body: () => Promise.resolve(Buffer.from(JSON.stringify(body ?? {}))),
  });
}

const parsed = (answer: HttpAnswer | undefined): unknown => JSON.parse(String(answer?.body));

/** The code and the parsed body. */
async function get(path: string): Promise<unknown[]> {
  const answer = await call('GET', path);
  return [answer?.code, parsed(answer)];
}

const post = (body: unknown, over: Over = {}): Promise<HttpAnswer | undefined> =>
  call('POST', '/v2/models/m/infer', { body, ...over });

describe('the REST form of the Open Inference Protocol', () => {
  it.each(['/v2', '/v2/'])('describes the server at %s', async (path) => {
    const extensions = ['model_repository', 'model_configuration', 'statistics'];
    expect(await get(path)).toEqual(['OK', { name: 'tandem', version: packageVersion(), extensions }]);
  });

  it('is live even if it is not ready', async () => {
    isReady = false;
    expect(await get('/v2/health/live')).toEqual(['OK', { live: true }]);
    expect(await get('/v2/health/ready')).toEqual(['UNAVAILABLE', { ready: false }]);
    isReady = true;
    expect(await get('/v2/health/ready')).toEqual(['OK', { ready: true }]);
  });

  it.each([
    ['/v2/models/m/ready', 'OK', { name: 'm', ready: true }],
    ['/v2/models/m/versions/2/ready', 'UNAVAILABLE', { name: 'm', ready: false }],
    ['/v2/models/x/ready', 'UNAVAILABLE', { name: 'x', ready: false }],
  ])('says whether a model is ready: %s', async (...expected) => {
    expect(await get(expected[0])).toEqual(expected.slice(1));
  });

  it('describes a model with the keys of the protocol', async () => {
    const [code, metadata] = await get('/v2/models/m');
    expect([code, metadata]).toMatchObject(['OK', { name: 'm', versions: ['2', '1'], platform: 'nir' }]);
    expect(metadata).toMatchObject({ inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 3] }] });
  });

  it('describes the configuration of a version with the names of its data types', async () => {
    expect(await get('/v2/models/m/versions/1/config')).toMatchObject([
      'OK',
      { name: 'm', max_batch_size: 7, input: [{ name: 'input', data_type: 'TYPE_FP32', dims: [3] }] },
    ]);
  });

  it('decodes the name of a model, and keeps one that cannot be decoded', async () => {
    expect(await get('/v2/models/a%20b')).toMatchObject(['OK', { name: 'a b' }]);
    expect(await get('/v2/models/%zz/ready')).toEqual(['UNAVAILABLE', { name: '%zz', ready: false }]);
  });

  it('returns the statistics of one version, or of all', async () => {
    statistics.answered(ReasonResponse.fromPartial({ model: 'm', modelVersion: 1 }));
    const [code, one] = await get('/v2/models/m/versions/1/stats');
    expect([code, one]).toMatchObject([
      'OK',
      { model_stats: [{ name: 'm', version: '1', inference_count: 1, inference_stats: { success: { count: 1 } } }] },
    ]);
    expect(one).toHaveProperty('model_stats.length', 1);
    const names = [
      ['a b', '1'],
      ['m', '1'],
      ['m', '2'],
    ].map(([name, version]) => ({ name, version }));
    expect(await get('/v2/models/stats')).toMatchObject(['OK', { model_stats: names }]);
  });

  it('lists the repository', async () => {
    const answer = await call('POST', '/v2/repository/index');
    expect([answer?.code, parsed(answer)]).toMatchObject([
      'OK',
      [{ name: 'a b' }, { name: 'm', version: '1', state: 'READY' }, { name: 'm', version: '2', reason: 'damaged' }],
    ]);
  });

  it.each([
    ['GET', '/v2/repository/index'],
    ['GET', '/v2/models'],
    ['GET', '/v2/models/m/infer'],
    ['GET', '/v2/models/m/other'],
    ['POST', '/v2/models/m/ready'],
    ['POST', '/v2/models/m'],
    ['POST', '/v2'],
    ['PUT', '/v2'],
    ['DELETE', '/v2/models/m/infer'],
  ])('knows no %s %s', async (method, path) => {
    expect(await call(method, path)).toBeUndefined();
  });

  it('returns an error with its reason, and its field if it has one', async () => {
    infer = () => Promise.reject(new RouterError('NO_ENGINE', 'none is ready'));
    const answer = await post({ inputs: INPUTS });
    expect([answer!.code, parsed(answer)]).toEqual(['UNAVAILABLE', { error: 'none is ready', reason: 'NO_ENGINE' }]);
    expect(await get('/v2/models/m/versions/x')).toMatchObject([
      'INVALID_ARGUMENT',
      { reason: 'INVALID_FIELD', field: 'model_version', error: expect.stringContaining('"x"') as unknown },
    ]);
  });
});

describe('an inference over REST', () => {
  it('asks for lists, for its caller, until its deadline', async () => {
    const owner = {};
    const now = jest.spyOn(performance, 'now').mockReturnValue(42);
    const answer = await post({ inputs: INPUTS, id: 'q' }, { owner, deadlineMs: 99 });
    now.mockRestore();
    const [request, context, form] = inferred!;
    expect([request.modelName, request.modelVersion, request.id, form]).toEqual(['m', '', 'q', 'LISTS']);
    expect(context).toMatchObject({ deadlineMs: 99, startedMs: 42 });
    expect(context.owner).toBe(owner);
    expect(answer).toMatchObject({ code: 'OK', type: 'application/json', headers: {} });
    expect(parsed(answer)).toMatchObject({ model_name: 'm', outputs: [{ name: 'scores', data: [0.5, 0.25] }] });
  });

  it('asks for the version in the path', async () => {
    await call('POST', '/v2/models/m/versions/2/infer', { body: { inputs: INPUTS } });
    expect(inferred![0]).toMatchObject({ modelName: 'm', modelVersion: '2' });
  });

  it('returns binary outputs after the JSON, whose length is in a header', async () => {
    const answer = await post({ inputs: INPUTS, parameters: { binary_data_output: true } });
    const body = answer!.body as Buffer;
    const length = Number(answer!.headers['Inference-Header-Content-Length']);
    expect([answer!.code, answer!.type]).toEqual(['OK', 'application/octet-stream']);
    expect(JSON.parse(String(body.subarray(0, length)))).toMatchObject({
      outputs: [{ name: 'scores', parameters: { binary_data_size: 8 } }],
    });
    expect(body.subarray(length)).toEqual(Buffer.from(Float32Array.of(0.5, 0.25).buffer));
  });

  it('is cancelled when its caller leaves, and not after its answer', async () => {
    const { promise, reject } = Promise.withResolvers<ModelInferResponse>();
    const answering = infer;
    infer = (...args) => {
      inferred = args;
      return promise;
    };
    const answer = post({ inputs: INPUTS });
    await new Promise(setImmediate);
    caller.abort();
    expect(inferred![1].reason?.kind).toBe('CANCELLED');
    reject(new RouterError('CANCELLED', 'left'));
    expect((await answer)?.code).toBe('CANCELLED');

    infer = answering;
    caller = new AbortController();
    await post({ inputs: INPUTS });
    expect(getEventListeners(caller.signal, 'abort')).toEqual([]);
  });
});
