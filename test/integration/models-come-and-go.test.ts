// Loading and unloading model versions, with real sidecars and the local engine.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheMode, Strategy } from '../../services/generated/tandem/v1/types.ts';
import { ModelState } from '../../services/generated/tandem/v1/models.ts';
import { ModelFolder } from '../support/model-folder.ts';
import { ModelOperator } from '../support/model-operator.ts';
import { Operator } from '../support/operator.ts';
import { refusalOf } from '../support/refusal.ts';
import { type RunningSidecar, startSidecar } from '../support/sidecar.ts';
import { smallNet } from '../support/small-net.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const data = Buffer.from(Float32Array.of(1, 0.5, 0.25).buffer);
const request = {
  ...{ model: 'net', tensor: { shape: [3], dtype: 'FP32', data }, cache: CacheMode.CACHE_MODE_BYPASS },
  strategy: Strategy.STRATEGY_REDUNDANT,
};

let folder: ModelFolder;
/** One has its own repository, without the router's models. */
let other: ModelFolder;
let sidecars: RunningSidecar[];
let system: System;
let models: ModelOperator;
let operator: Operator;

beforeAll(async () => {
  other = new ModelFolder().add('elsewhere', 1, smallNet(), '');
});
afterAll(() => other.remove());

beforeEach(async () => {
  folder = new ModelFolder().add('net', 1, smallNet(), 'steps: 8');
  sidecars = await Promise.all([startSidecar(folder.path), startSidecar(other.path)]);
  system = await startSystem({
    ...{ models_dir: folder.path, default_model: 'net', cache: { enabled: false }, spawn: { count: 0 } },
    sidecars: sidecars.map(({ address }, index) => ({ id: `s${index + 1}`, address })),
  });
  models = new ModelOperator(system.adminAddress);
  operator = new Operator(system.adminAddress);
});

afterEach(async () => {
  models.close();
  operator.close();
  await system.stop();
  await Promise.all(sidecars.map((sidecar) => sidecar.stop()));
  folder.remove();
});

const idsOf = async (version: number): Promise<string[]> =>
  (await models.models()).find((each) => each.name === 'net' && each.version === version)?.engineIds ?? [];

describe('models that are loaded and unloaded', () => {
  it('are loaded from bytes onto every engine, also one with its own repository, and answer at once', async () => {
    const loaded = await models.load({ name: 'net', nir: smallNet(2), manifest: 'steps: 8' });
    expect(loaded.engines.map(({ engineId }) => engineId).sort()).toEqual(['local', 's1', 's2']);
    expect(loaded.model).toMatchObject({ version: 2, isLatest: true, state: ModelState.MODEL_STATE_SERVED });
    const answer = await system.reason(request);
    expect([answer.modelVersion, answer.vote?.ballots.map(({ outcome }) => outcome)]).toEqual([2, [1, 1, 1]]);
    expect((await system.reason({ ...request, modelVersion: 1 })).modelVersion).toBe(1);
  });

  it('are loaded onto an engine that lacks a model of the router’s start', async () => {
    await until(async () => (await idsOf(1)).length === 3, { what: 'all three to hold net/1' });
    expect((await system.reason({ ...request, modelVersion: 1 })).vote?.ballots).toHaveLength(3);
  });

  it('are loaded again onto an engine that was killed, before its next request', async () => {
    await models.load({ name: 'net', nir: smallNet(2), manifest: 'steps: 8' });
    await sidecars[1]!.restart();
    await until(async () => (await idsOf(2)).includes('s2'), { what: 's2 to hold net/2 again' });
    expect((await system.reason(request)).modelVersion).toBe(2);
  });

  it('are unloaded, also after a restart of router and engines', async () => {
    await models.load({ name: 'net', nir: smallNet(2), manifest: 'steps: 8' });
    await models.unload({ name: 'net', version: 2 });
    expect((await system.reason(request)).modelVersion).toBe(1);
    expect(await refusalOf(system.reason({ ...request, modelVersion: 2 }))).toMatchObject({ reason: 'UNKNOWN_MODEL' });
    await sidecars[0]!.restart();
    await system.stop();
    models.close();
    operator.close();
    system = await startSystem({
      ...{ models_dir: folder.path, default_model: 'net', spawn: { count: 0 } },
      sidecars: [{ id: 's1', address: sidecars[0]!.address }],
    });
    models = new ModelOperator(system.adminAddress);
    operator = new Operator(system.adminAddress);
    const states = (await models.models()).map(({ version, state }) => [version, state]);
    expect(states).toEqual([
      [1, ModelState.MODEL_STATE_SERVED],
      [2, ModelState.MODEL_STATE_UNLOADED],
    ]);
    await models.load({ name: 'net', version: 2 });
    expect((await system.reason(request)).modelVersion).toBe(2);
  });

  it('lose no request and mix no weights when versions are loaded, replaced and unloaded under load', async () => {
    const digests = new Map<number, Set<bigint>>();
    const failures: string[] = [];
    let isOver = false;
    let answered = 0;
    const caller = async (): Promise<void> => {
      while (!isOver) {
        try {
          const { modelVersion, stateDigest, vote } = await system.reason(request);
          answered += 1;
          // A vote with two different weights would have ballots with two digests.
          const cast = vote!.ballots.map((ballot) => ballot.stateDigest).filter((digest) => digest !== 0n);
          if (new Set(cast).size > 1) failures.push(`net/${modelVersion} was answered with two weights`);
          const seen = digests.get(modelVersion) ?? new Set();
          digests.set(modelVersion, seen.add(stateDigest));
        } catch (error) {
          failures.push((error as Error).message);
        }
      }
    };
    const callers = Promise.all(Array.from({ length: 4 }, caller));
    for (let round = 0; round < 4; round += 1) {
      await models.load({ name: 'net', version: 2, nir: smallNet(2 + round), manifest: 'steps: 8', reload: true });
      if (round === 1) {
        await sidecars[1]!.kill();
        sidecars.push(await startSidecar(other.path));
        await operator.register('s3', sidecars.at(-1)!.address);
      }
      await models.load({ name: 'net', version: 3, nir: smallNet(9), manifest: 'steps: 8' });
      const before = answered;
      await until(() => answered > before + 8, { what: 'requests between two changes' });
      await models.unload({ name: 'net', version: 3, deleteFiles: true });
    }
    isOver = true;
    await callers;
    expect(failures).toEqual([]);
    expect([digests.get(2)!.size <= 4, digests.get(3)!.size]).toEqual([true, 1]);
    const { state } = await operator.engine('s1');
    expect(state).toBe(1);
  });

  it('get golden vectors, and a wrong model is refused by name', async () => {
    const { cases, engineKinds } = await models.makeGolden({ name: 'net', cases: 3 });
    expect([cases, engineKinds]).toEqual([3, 2]);
    const golden = JSON.parse(readFileSync(join(folder.path, 'net/1/golden.json'), 'utf8')) as { cases: object[] };
    expect(golden.cases).toHaveLength(3);
    const wrong = JSON.stringify({
      ...golden,
      cases: golden.cases.map((each) => ({ ...each, state_digest: '0'.repeat(16) })),
    });
    const loading = models.load({ name: 'net', nir: smallNet(3), manifest: 'steps: 8', golden: wrong });
    expect(await refusalOf(loading)).toMatchObject({
      reason: 'MODEL_REFUSED',
      message: expect.stringMatching(/golden vector .*\(1 of 3\): expected state digest 0{16}, got /) as unknown,
    });
    expect((await models.models()).map(({ version }) => version)).toEqual([1]);
  });

  it.each([
    ['a truncated file', { nir: smallNet(5).subarray(0, 900) }, 'MODEL_REFUSED'],
    ['no file at all', { nir: Buffer.from('not a model') }, 'MODEL_REFUSED'],
    ['an unknown setting', { nir: smallNet(5), manifest: 'stepps: 3' }, 'MODEL_REFUSED'],
    ['a path as a name', { name: '../x', nir: smallNet(5) }, 'INVALID_FIELD'],
    ['other content of a version', { version: 1, nir: smallNet(7), manifest: 'steps: 8' }, 'MODEL_EXISTS'],
    ['labels of another number', { nir: smallNet(5), manifest: 'labels: [a, b, c]' }, 'MODEL_REFUSED'],
  ])('refuse %s, and nothing changes', async (_what, sent, reason) => {
    expect(await refusalOf(models.load({ name: 'net', ...sent }))).toMatchObject({ reason });
    expect((await models.models()).map(({ version }) => version)).toEqual([1]);
    expect((await system.reason({ ...request, modelVersion: 1 })).modelVersion).toBe(1);
  });
});
