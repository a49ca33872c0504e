// The Open Inference Protocol over gRPC, beside Reason on the same port.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import {
  GRPCInferenceServiceClient,
  ModelInferRequest,
  type ModelInferResponse,
  type ModelStatisticsResponse,
  type ModelStreamInferResponse,
} from '../../services/generated/inference/grpc_service.ts';
import { type GetMetricsResponse, MetricsServiceClient } from '../../services/generated/tandem/v1/metrics.ts';
import { hex64 } from '../../services/core/hex.ts';
import { readHeldout } from '../support/heldout.ts';
import { promised } from '../support/promised.ts';
import { refusalOf } from '../support/refusal.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const [first, second] = readHeldout();
let system: System;
let client: GRPCInferenceServiceClient;

beforeAll(async () => {
  system = await startSystem({ spawn: { count: 2 } });
  client = new GRPCInferenceServiceClient(system.address, grpc.credentials.createInsecure());
});

afterAll(async () => {
  client.close();
  await system.stop();
});

function request(rows: readonly Buffer[], over: Partial<ModelInferRequest> = {}): ModelInferRequest {
  return ModelInferRequest.fromPartial({
    modelName: 'supersense',
    id: 'an id',
    inputs: [{ name: 'input', datatype: 'FP32', shape: [BigInt(rows.length), 768n] }],
    rawInputContents: [Buffer.concat(rows)],
    ...over,
  });
}

const infer = (message: ModelInferRequest): Promise<ModelInferResponse> =>
  promised((done) => client.modelInfer(message, done));

function output(response: ModelInferResponse, name: string): Buffer {
  const index = response.outputs.findIndex((each) => each.name === name);
  return Buffer.from(response.rawOutputContents[index]!);
}

describe('ModelInfer', () => {
  it('gives the same answer as Reason, exactly', async () => {
    const reasoned = await system.reason({ tensor: { shape: [768], dtype: 'FP32', data: first!.data } });
    const response = await infer(request([first!.data]));
    expect([response.id, response.modelName, response.modelVersion]).toEqual(['an id', 'supersense', '1']);
    expect(output(response, 'state_digest').readBigUInt64LE()).toBe(reasoned.stateDigest);
    const scores = output(response, 'scores');
    expect(reasoned.scores.map((_, index) => scores.readFloatLE(index * 4))).toEqual(reasoned.scores);
    expect(response.parameters['state_digest']?.parameterChoice?.value).toBe(hex64(reasoned.stateDigest));
  });

  it('answers a batch in its order', async () => {
    const response = await infer(
      request([first!.data, second!.data], { outputs: [{ name: 'label', parameters: {} }] }),
    );
    const labels = output(response, 'label').toString('latin1');
    expect(response.outputs.map(({ name, shape }) => [name, shape])).toEqual([['label', [2n, 1n]]]);
    const alone = await Promise.all(
      [first!, second!].map(({ data }) => system.reason({ tensor: { shape: [768], dtype: 'FP32', data } })),
    );
    expect(labels.indexOf(alone[0]!.label)).toBe(4);
    expect(labels.lastIndexOf(alone[1]!.label)).toBe(labels.length - alone[1]!.label.length);
  });

  it('counts its items under a separate name', async () => {
    await infer(request([first!.data, second!.data]));
    const metrics = new MetricsServiceClient(system.address, grpc.credentials.createInsecure());
    const { metrics: counted } = await promised<GetMetricsResponse>((done) => metrics.getMetrics({}, done));
    metrics.close();
    const types = counted!.requestTypes.map(({ type }) => type);
    expect(types).toContain('ModelInfer.item');
    expect(types).not.toContain('ReasonBatch.item');
  });

  it('traces its items with the name of their service', async () => {
    const metadata = new grpc.Metadata();
    const traceId = randomBytes(16).toString('hex');
    metadata.set('traceparent', `00-${traceId}-00f067aa0ba902b7-01`);
    await promised<ModelInferResponse>((done) => client.modelInfer(request([first!.data]), metadata, done));
    const name = 'inference.GRPCInferenceService/ModelInfer.item';
    await until(() => system.traces.spans(traceId).some((span) => span.name === name), { what: 'the trace' });
  });

  it('votes if the parameter strategy says so', async () => {
    const strategy = { parameterChoice: { $case: 'stringParam' as const, value: 'REDUNDANT' } };
    const cache = { parameterChoice: { $case: 'stringParam' as const, value: 'BYPASS' } };
    const { parameters } = await infer(request([first!.data], { parameters: { strategy, cache } }));
    expect(parameters['grade']?.parameterChoice?.value).toMatch(/UNANIMOUS|MAJORITY/);
    const ballots = JSON.parse(parameters['ballots']!.parameterChoice!.value as string) as unknown[];
    expect(ballots).toHaveLength(3);
  });

  it.each([
    ['UNKNOWN_MODEL', { modelName: 'no such model' }],
    ['INVALID_FIELD', { modelVersion: 'one' }],
    ['INVALID_FIELD', { outputs: [{ name: 'logits', parameters: {} }] }],
    ['INPUT_NOT_FINITE', { rawInputContents: [Buffer.alloc(3072, 0xff)] }],
  ])('refuses with %s, as Reason does', async (reason, over) => {
    expect(await refusalOf(infer(request([first!.data], over)))).toMatchObject({ reason });
  });
});

describe('ModelStreamInfer', () => {
  it('answers each request with its id, and a bad one with its error', async () => {
    const stream = client.modelStreamInfer();
    const answers = new Map<string, ModelStreamInferResponse>();
    const ended = new Promise<void>((resolve, reject) => {
      stream.on('data', (answer: ModelStreamInferResponse) => answers.set(answer.inferResponse!.id, answer));
      stream.on('end', resolve);
      stream.on('error', reject);
    });
    for (let index = 0; index < 200; index += 1) stream.write(request([first!.data], { id: `${index}` }));
    stream.write(request([first!.data], { id: 'bad', modelName: 'no such model' }));
    stream.end();
    await ended;
    expect(answers.size).toBe(201);
    expect(answers.get('bad')!.errorMessage).toMatch(/^UNKNOWN_MODEL: /);
    expect([...answers.values()].filter(({ errorMessage }) => errorMessage !== '')).toHaveLength(1);
  });
});

describe('the repository', () => {
  it('unloads a model and loads it again, through the administrative listener', async () => {
    const admin = new GRPCInferenceServiceClient(system.adminAddress, grpc.credentials.createInsecure());
    const isReady = async (): Promise<boolean> =>
      (await promised<{ ready: boolean }>((done) => client.modelReady({ name: 'supersense', version: '' }, done)))
        .ready;
    const named = { repositoryName: '', modelName: 'supersense', parameters: {} };
    await promised((done) => admin.repositoryModelUnload(named, done));
    expect(await isReady()).toBe(false);
    await promised((done) =>
      admin.repositoryModelLoad({ ...named, repositoryName: 'supersense', modelName: '' }, done),
    );
    expect(await isReady()).toBe(true);
    admin.close();
  });

  it('changes no model for a caller without the role', async () => {
    const named = { repositoryName: '', modelName: 'supersense', parameters: {} };
    const refused = refusalOf(promised((done) => client.repositoryModelUnload(named, done)));
    expect(await refused).toMatchObject({ code: 'PERMISSION_DENIED' });
  });
});

describe('the server’s description of itself and its models', () => {
  it('is live, and ready', async () => {
    expect(await promised((done) => client.serverLive({}, done))).toEqual({ live: true });
    expect(await promised((done) => client.serverReady({}, done))).toEqual({ ready: true });
  });

  it('knows which models are ready', async () => {
    const ready = (name: string) => promised((done) => client.modelReady({ name, version: '' }, done));
    expect([await ready('supersense'), await ready('no such model')]).toEqual([{ ready: true }, { ready: false }]);
  });

  it('describes a model’s tensors', async () => {
    const { inputs, outputs, versions } = await promised<{
      inputs: { name: string; shape: bigint[] }[];
      outputs: { name: string; shape: bigint[] }[];
      versions: string[];
    }>((done) => client.modelMetadata({ name: 'supersense', version: '' }, done));
    expect([versions, inputs]).toMatchObject([['1'], [{ name: 'input', datatype: 'FP32', shape: [-1n, 768n] }]]);
    expect(outputs.find(({ name }) => name === 'scores')).toMatchObject({ shape: [-1n, 45n] });
  });

  it('lists the repository', async () => {
    const index = await promised((done) => client.repositoryIndex({ repositoryName: '', ready: true }, done));
    const entry = { name: 'supersense', version: '1', state: 'READY', reason: '' };
    expect(index).toMatchObject({ models: expect.arrayContaining([entry]) });
  });

  it('counts its answers', async () => {
    await infer(request([second!.data]));
    const { modelStats } = await promised<{ modelStats: { name: string; inferenceCount: bigint }[] }>((done) =>
      client.modelStatistics({ name: 'supersense', version: '' }, done),
    );
    expect(modelStats[0]!.inferenceCount).toBeGreaterThan(0n);
  });

  it('counts its refusals with the time that they took', async () => {
    await refusalOf(infer(request([Buffer.alloc(4)])));
    const { modelStats } = await promised<ModelStatisticsResponse>((done) =>
      client.modelStatistics({ name: 'supersense', version: '' }, done),
    );
    const { count, ns } = modelStats[0]!.inferenceStats!.fail!;
    expect(count).toBeGreaterThan(0n);
    expect(ns).toBeLessThan(count * 60_000_000_000n);
  });
});
