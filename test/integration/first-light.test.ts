import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readoutDigest } from '../../services/engines/readout-digest.ts';
import { readGolden } from '../../services/models/golden.ts';
import { EngineAdminServiceClient, type ListEnginesResponse } from '../../services/generated/tandem/v1/engines.ts';
import { type ListModelsResponse, ModelServiceClient } from '../../services/generated/tandem/v1/models.ts';
import { EngineKind, Strategy } from '../../services/generated/tandem/v1/types.ts';
import { promised } from '../support/promised.ts';
import { readHeldout } from '../support/heldout.ts';
import { type System, startSystem } from '../support/system.ts';

const MODEL = join(import.meta.dirname, '../../deploy/models/supersense');
const [item] = readHeldout();
const data = item?.data ?? Buffer.alloc(0);
const tensor = { shape: [768], dtype: 'FP32', data };

let system: System;

beforeAll(async () => {
  system = await startSystem({ reflection: true, cache: { enabled: false }, retry: { budget_percent: 0 } });
});

afterAll(async () => {
  await system.stop();
});

describe('reason() through router, local engine and two C++ sidecars', () => {
  it('gives the same digest, spikes and scores from each of them', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => system.reason({ tensor })));
    expect(new Set(answers.map(({ engine }) => engine?.engineId))).toEqual(new Set(['local', 'engine-1', 'engine-2']));
    const same = ({
      stateDigest,
      spikeCounts,
      scores,
      totalSpikes,
      synapticOperations,
      label,
    }: (typeof answers)[0]): unknown[] => [stateDigest, spikeCounts, scores, totalSpikes, synapticOperations, label];
    expect(answers.map(same)).toEqual(answers.map(() => same(answers[0] as never)));
  });

  it('gives the same answer for numbers and for bytes', async () => {
    const encoding = Array.from({ length: 768 }, (_, k) => data.readFloatLE(k * 4));
    const [plain, raw] = await Promise.all([system.reason({ encoding }), system.reason({ tensor })]);
    expect(plain.stateDigest).toBe(raw.stateDigest);
  });

  it('reproduces the golden vectors, which a third implementation computed', async () => {
    const golden = JSON.parse(readFileSync(join(MODEL, 'golden.json'), 'utf8')) as {
      cases: { name: string; encoding_f32_base64: string; state_digest: string; spike_counts: number[] }[];
    };
    expect(golden.cases.length).toBeGreaterThan(0);
    for (const { encoding_f32_base64, state_digest, spike_counts } of golden.cases) {
      const input = { shape: [768], dtype: 'FP32', data: Buffer.from(encoding_f32_base64, 'base64') };
      const answer = await system.reason({ tensor: input });
      expect(answer.stateDigest.toString(16).padStart(16, '0')).toBe(state_digest);
      expect(answer.spikeCounts).toEqual(spike_counts);
    }
  });

  it('has engines that each give the golden answers to the last bit, with true digests', async () => {
    const context = { deadlineMs: Infinity, signal: new AbortController().signal };
    for (const known of readGolden({ path: MODEL, versionPath: `${MODEL}/1`, version: 1 }, 'golden.json')) {
      const input = { model: 'supersense', version: 1, shape: [768], data: known.data };
      for (const { engine } of system.pool.engines) {
        const answer = await engine.infer(input, context);
        const digests = [answer.stateDigest, readoutDigest(answer), answer.readoutDigest];
        expect(digests).toEqual([known.stateDigest, known.readoutDigest, known.readoutDigest]);
      }
    }
  });

  it('reports its work', async () => {
    const answer = await system.reason({ tensor, requestId: 'mine', strategy: Strategy.STRATEGY_LOCAL_FIRST });
    expect(answer).toMatchObject({
      requestId: 'mine',
      model: 'supersense',
      modelVersion: 1,
      strategy: Strategy.STRATEGY_LOCAL_FIRST,
    });
    expect(answer.attempts).toHaveLength(1);
    expect(answer.scores.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    expect(answer.confidence).toBe(answer.scores[answer.labelIndex]);
    const { timing } = answer;
    expect(timing?.totalUs).toBeGreaterThanOrEqual(timing?.engineUs ?? Infinity);
  });

  it('creates a request id if the caller gives none', async () => {
    expect((await system.reason({ tensor })).requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('gives the local engine 80 of 100 requests under LOCAL_FIRST', async () => {
    let local = 0;
    for (let n = 0; n < 100; n += 1) {
      const answer = await system.reason({ tensor, strategy: Strategy.STRATEGY_LOCAL_FIRST });
      if (answer.engine?.kind === EngineKind.ENGINE_KIND_LOCAL) local += 1;
    }
    expect(local).toBe(80);
  });
});

describe('the shipped model', () => {
  it('classifies held-out texts about as well as a linear classifier on the same split', async () => {
    const heldout = readHeldout();
    let right = 0;
    let linear = 0;
    await Promise.all(
      heldout.map(async (each) => {
        const answer = await system.reason({ tensor: { shape: [768], dtype: 'FP32', data: each.data } });
        if (answer.label === each.label) right += 1;
        if (each.linear_label === each.label) linear += 1;
      }),
    );
    expect(right / heldout.length).toBeGreaterThan(linear / heldout.length - 0.03);
  });
});

describe('the other services', () => {
  const credentials = grpc.credentials.createInsecure();

  it('list the model with its shape, labels and engines', async () => {
    const client = new ModelServiceClient(system.address, credentials);
    const response = await promised<ListModelsResponse>((done) => client.listModels({}, done));
    client.close();
    expect(response.models[0]).toMatchObject({
      name: 'supersense',
      inputShape: [768],
      outputSize: 45,
      engineIds: ['local', 'engine-1', 'engine-2'],
      error: '',
    });
    expect(response.models[0]?.labels).toContain('noun.animal');
  });

  it('list the engines with state and build', async () => {
    const client = new EngineAdminServiceClient(system.address, credentials);
    const response = await promised<ListEnginesResponse>((done) => client.listEngines({}, done));
    client.close();
    expect(response.engines.map(({ id, models }) => [id, models])).toEqual([
      ['local', ['supersense/1']],
      ['engine-1', ['supersense/1']],
      ['engine-2', ['supersense/1']],
    ]);
    expect(response.engines[1]?.build).toMatch(/^tandem-engine /);
  });

  it('answer grpc.health.v1 for router and sidecar alike', async () => {
    const definition = loadSync('health/v1/health.proto', {
      includeDirs: [join(import.meta.dirname, '../../node_modules/grpc-health-check/proto')],
      enums: String,
    });
    type HealthClient = grpc.Client & {
      check(request: object, callback: (error: Error | null, response: { status: string }) => void): void;
    };
    const Health = (
      loadPackageDefinition(definition) as unknown as {
        grpc: {
          health: { v1: { Health: new (address: string, credentials: grpc.ChannelCredentials) => HealthClient } };
        };
      }
    ).grpc.health.v1.Health;
    const sidecar = system.pool.engines.find(({ kind }) => kind === 'sidecar');
    for (const address of [system.address, sidecar?.engine.address ?? '']) {
      const client = new Health(address, credentials);
      const status = await new Promise<string>((resolve, reject) => {
        client.check({}, (error, response) => (error ? reject(error) : resolve(response.status)));
      });
      client.close();
      expect(status).toBe('SERVING');
    }
  });
});
