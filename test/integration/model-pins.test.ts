// Sidecars with other weights, or other run settings, for a name and version of the router's repository.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { hex64 } from '../../services/core/hex.ts';
import { EngineState } from '../../services/generated/tandem/v1/engines.ts';
import { type Event, EventServiceClient } from '../../services/generated/tandem/v1/events.ts';
import { type Model, ModelServiceClient } from '../../services/generated/tandem/v1/models.ts';
import { Strategy } from '../../services/generated/tandem/v1/types.ts';
import type { GoldenCase } from '../../services/models/golden.ts';
import { ModelRepository } from '../../services/models/repository.ts';
import { EventReader } from '../support/event-reader.ts';
import { changeNir } from '../support/nir-writer.ts';
import { Operator } from '../support/operator.ts';
import { refusalOf } from '../support/refusal.ts';
import { type RunningSidecar, startSidecar } from '../support/sidecar.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';
import { SUPERSENSE } from '../support/models.ts';

const MODELS = SUPERSENSE;
const OTHER = /^it holds other weights or run settings: model id [0-9a-f]{16}, the repository has [0-9a-f]{16}$/;
const [{ data, stateDigest }] = ModelRepository.read(MODELS, 'supersense').find('', 0)[0]!.golden as [GoldenCase];
const request = { tensor: { shape: [768], dtype: 'FP32', data }, strategy: Strategy.STRATEGY_ROUND_ROBIN };
const folders: string[] = [];

/** The repository with one file of "supersense" changed. */
function changed(file: string, change: (bytes: Buffer) => Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-other-'));
  folders.push(folder);
  cpSync(MODELS, folder, { recursive: true });
  const path = join(folder, 'supersense', file);
  writeFileSync(path, change(readFileSync(path)));
  return folder;
}

/** One weight differs. */
const otherWeights = (): string => changed('1/model.nir', (bytes) => changeNir(bytes, 'node/nodes/affine2/bias', 0.7));
const otherDt = (): string =>
  changed('model.yaml', (bytes) => Buffer.from(bytes.toString().replace('dt: 0.001', 'dt: 0.002')));

let right: RunningSidecar;
let wrong: RunningSidecar;
let twin: RunningSidecar;
let system: System;
let operator: Operator;
let lines: Record<string, unknown>[];

beforeAll(async () => {
  const folder = otherWeights();
  [right, wrong, twin] = await Promise.all([startSidecar(MODELS), startSidecar(folder), startSidecar(folder)]);
});

afterAll(async () => {
  await Promise.all([right, wrong, twin].map((sidecar) => sidecar.stop()));
  for (const folder of folders) rmSync(folder, { recursive: true });
});

afterEach(async () => {
  operator.close();
  await system.stop();
});

async function start(sidecars: Record<string, string>, over: Record<string, unknown> = {}): Promise<void> {
  lines = [];
  const log = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line) as object as never) });
  const settings = {
    ...{ local: { enabled: false }, cache: { enabled: false }, spawn: { count: 0 } },
    sidecars: Object.entries(sidecars).map(([id, address]) => ({ id, address })),
    ...over,
  };
  system = await startSystem(settings, log);
  operator = new Operator(system.adminAddress);
}

/** The majority is wrong, and comes first. */
const startAll = (over: Record<string, unknown> = {}): Promise<void> =>
  start({ wrong: wrong.address, twin: twin.address, right: right.address }, over);

async function supersense(): Promise<Model> {
  const client = new ModelServiceClient(system.address, grpc.credentials.createInsecure());
  const { promise, resolve, reject } = Promise.withResolvers<Model>();
  client.getModel({ model: '', modelVersion: 0 }, (error, response) =>
    error ? reject(error) : resolve(response.model!),
  );
  return await promise.finally(() => client.close());
}

describe('engines with other weights for the name and version of the repository', () => {
  it('are never asked, even as the majority', async () => {
    await startAll();
    for (let turn = 0; turn < 6; turn += 1) {
      const answer = await system.reason(request);
      expect([answer.engine?.engineId, answer.stateDigest]).toEqual(['right', stateDigest]);
    }
    const vote = await refusalOf(system.reason({ ...request, strategy: Strategy.STRATEGY_REDUNDANT }));
    expect(vote.reason).toBe('VOTE_TOO_FEW');
    const engines = await operator.engines();
    expect(engines.map(({ id, succeeded, failed }) => [id, succeeded + failed])).toEqual([
      ['wrong', 0n],
      ['twin', 0n],
      ['right', expect.any(BigInt)],
    ]);
  });

  it('are named in ListEngines and by the model, with both model ids', async () => {
    await startAll();
    const engines = await operator.engines();
    expect(engines.map(({ id, models, modelProblems }) => [id, models, modelProblems])).toEqual([
      ['wrong', [], [{ model: 'supersense/1', why: expect.stringMatching(OTHER) }]],
      ['twin', [], [{ model: 'supersense/1', why: expect.stringMatching(OTHER) }]],
      ['right', ['supersense/1'], []],
    ]);
    const { modelId, engineIds, problems } = await supersense();
    expect([engineIds, problems]).toEqual([
      ['right'],
      ['wrong', 'twin'].map((engineId) => ({ engineId, why: expect.stringMatching(`has ${hex64(modelId)}$`) })),
    ]);
  });

  it('are reported once each, in the log and as an event, also when they reconnect', async () => {
    await startAll();
    await wrong.restart();
    await until(async () => (await operator.engine('wrong')).state === EngineState.ENGINE_STATE_UNUSABLE, {
      what: 'its return',
    });
    const problem = { model: 'supersense/1', why: expect.stringMatching(OTHER) };
    expect(lines.filter(({ msg }) => msg === 'engine does not serve a model')).toMatchObject([
      { level: 40, engine: 'wrong', ...problem },
      { level: 40, engine: 'twin', ...problem },
    ]);
    const events = await eventsOf('model', 2);
    expect(events.map(({ data: { engine, model } }) => [engine, model])).toEqual([
      ['wrong', 'supersense/1'],
      ['twin', 'supersense/1'],
    ]);
  });

  it('raise an alert, and are counted', async () => {
    await startAll({ alerts: { interval_ms: 100, for_ms: 100 } });
    const [alert] = await eventsOf('alert', 1);
    expect([alert?.data['name'], alert?.text]).toEqual([
      'TandemModelMismatch',
      expect.stringMatching(
        /^models that differ from the repository: wrong \(supersense\/1: it holds other .*\), twin \(supersense\/1: /,
      ),
    ]);
    const { body } = await system.prometheus.exposition('');
    expect(body).toContain('tandem_engine_model_problems{engine="wrong"} 1');
    expect(body).toContain('tandem_engine_model_problems{engine="right"} 0');
  });

  it('are named as the reason why the router is not ready', async () => {
    await startAll({ strategy: 'REDUNDANT' });
    const { status, text } = await readyz();
    expect([status, text]).toEqual([
      503,
      expect.stringContaining('wrong: unusable: supersense/1: it holds other weights'),
    ]);
  });

  it('are named as the reason why no engine answers, if there are no others', async () => {
    await start({ wrong: wrong.address });
    const { reason, message } = await refusalOf(system.reason(request));
    expect([reason, message]).toEqual([
      'NO_ENGINE',
      expect.stringContaining('wrong: unusable: supersense/1: it holds other'),
    ]);
  });
});

it('an engine with other run settings is not asked either', async () => {
  const slow = await startSidecar(otherDt());
  await start({ right: right.address }, { local: { enabled: true } });
  const { state, modelProblems } = await operator.register('slow', slow.address);
  expect([state, modelProblems]).toEqual([
    EngineState.ENGINE_STATE_UNUSABLE,
    [{ model: 'supersense/1', why: expect.stringMatching(OTHER) }],
  ]);
  expect((await supersense()).engineIds).toEqual(['local', 'right']);
  await slow.stop();
});

it('a file that the router cannot read is served by no engine, with the reason', async () => {
  const damaged = changed('1/model.nir', (bytes) => bytes.subarray(0, 1_000));
  await start({ right: right.address }, { models_dir: damaged });
  const { reason, message } = await refusalOf(system.reason(request));
  expect([reason, message]).toEqual(['MODEL_INVALID', expect.stringContaining('model.nir')]);
  const { error, engineIds, problems } = await supersense();
  expect([error, engineIds, problems]).toEqual([expect.stringContaining('model.nir'), [], []]);
});

async function eventsOf(topic: string, count: number): Promise<Event[]> {
  const client = new EventServiceClient(system.address, grpc.credentials.createInsecure());
  const reader = new EventReader(client, { topics: [topic], afterSequence: 0n });
  await until(() => reader.events.length >= count, { what: `${count} events of topic ${topic}` });
  reader.cancel();
  client.close();
  return reader.events;
}

async function readyz(): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://${system.httpAddress}/readyz`);
  return { status: response.status, text: await response.text() };
}
