import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fakeInference, fakePinned } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../test/fakes/fake-parts.ts';
import { LoadingEngine } from '../../test/fakes/loading-engine.ts';
import { RouterError } from '../core/errors.ts';
import type { LoadedModel } from '../engines/local/messages.ts';
import type { PinnedModel } from '../engines/model-pins.ts';
import { EnginePool } from '../engines/pool.ts';
import { ModelRepository } from '../models/repository.ts';
import { ModelStore } from '../models/store.ts';
import { EngineLoads } from './engine-loads.ts';
import { ModelPublisher } from './publisher.ts';

const files = (nir: string, manifest?: string): NonNullable<Parameters<ModelPublisher['load']>[0]['files']> => ({
  ...{ nir: Buffer.from(nir), manifest, labels: '', golden: '' },
});

/** Fake pins of the router: the model id is the length of the file; a file that begins with "broken" is invalid. */
class FakePins {
  readonly #pins = new Map<string, PinnedModel>();
  find(name: string, version: number): PinnedModel | undefined {
    return this.#pins.get(`${name}/${version}`);
  }
  read({ name, version, path }: { name: string; version: number; path: string }): Promise<LoadedModel> {
    const nir = readFileSync(path, 'utf8');
    const error = nir.startsWith('broken') ? 'model.nir: is not a NIR file' : '';
    const model = fakePinned({ name, version, modelId: BigInt(nir.length), error });
    return Promise.resolve({ model, network: undefined, isReaderBroken: false });
  }
  put({ model }: LoadedModel): void {
    this.#pins.set(`${model.name}/${model.version}`, model);
  }
  drop(name: string, version: number): void {
    this.#pins.delete(`${name}/${version}`);
  }
}

let dir: string;
let pins: FakePins;
let pool: EnginePool;
let models: ModelRepository;
let publisher: ModelPublisher;
let loads: EngineLoads;
let lied: string[];
let refused: string[];

function engine(id: string): LoadingEngine {
  const made = new LoadingEngine(id);
  pool.add(made);
  made.instanceId = id;
  made.up();
  return made;
}

const served = (name: string, version: number): string[] => pool.holders(name, version).map(({ id }) => id);
const latest = (name: string): number | undefined => models.find(name, 0)[0]?.version;
const kindOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'OK',
    (error: unknown) => RouterError.from(error).kind,
  );

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tandem-publisher-'));
  pins = new FakePins();
  lied = [];
  refused = [];
  pool = new EnginePool(pins, fakeBreaker, { engineChanged: (pooled) => void loads.sync(pooled) });
  models = new ModelRepository([], 'm');
  loads = new EngineLoads(pool, { notLoaded: () => undefined, lied: ({ id }) => void lied.push(id) });
  publisher = new ModelPublisher({
    ...{ modelsDir: dir, models, store: new ModelStore(dir), pins, pool, loads },
    events: {
      loaded: () => undefined,
      unloaded: () => undefined,
      changed: () => undefined,
      lied: ({ id }) => void lied.push(id),
      refused: (_what, model, error) => void refused.push(`${model} ${error.kind}`),
    },
  });
});

afterEach(async () => {
  loads.stop();
  await publisher.idle();
  rmSync(dir, { recursive: true });
});

/** Stores a version that is in the repository when the router starts. */
function stored(manifest: string): PinnedModel {
  mkdirSync(join(dir, 'm/1'), { recursive: true });
  writeFileSync(join(dir, 'm/model.yaml'), manifest);
  for (const version of ModelRepository.read(dir, 'm').versions) models.put(version);
  return fakePinned({ name: 'm', version: 1, outputSize: 2 });
}

describe('ModelPublisher.adopt', () => {
  it('serves a valid version', () => {
    expect([publisher.adopt(stored('labels: [a, b]')), models.get('m', 1)!.error]).toEqual(['', '']);
  });

  it.each([
    ['the wrong number of labels', 'labels: [a, b, c]', 'model.yaml: labels: there are 3 for 2 outputs'],
    ['a missing label file', 'labels: gone.txt', 'model.yaml: labels: there is no file'],
    ['missing golden vectors', 'golden: gone.json', 'golden: there is no "gone.json" beside it'],
  ])('lists a version with %s and the reason', (_, manifest, reason) => {
    expect(publisher.adopt(stored(manifest))).toContain(reason);
    expect(models.get('m', 1)!.error).toContain(reason);
  });

  it('returns the error of the network', () => {
    expect(publisher.adopt({ ...stored(''), error: 'node "n": no' })).toBe('node "n": no');
  });
});

describe('ModelPublisher.load', () => {
  it('stores the version and serves it on every connected engine', async () => {
    engine('a');
    engine('b');
    engine('gone').down('away');
    const { version, engines } = await publisher.load({ name: 'm', version: 0, files: files('one', 'steps: 16') });
    expect([version.version, engines.map(({ engineId }) => engineId)]).toEqual([1, ['a', 'b']]);
    expect(served('m', 1)).toEqual(['a', 'b']);
    expect(readFileSync(join(dir, 'm/1/model.nir'), 'utf8')).toBe('one');
    expect(readdirSync(join(dir, 'm/1'))).toEqual(['model.nir', 'model.yaml']);
  });

  it('serves the version only after all engines have loaded it', async () => {
    const [a, b] = [engine('a'), engine('b')];
    await publisher.load({ name: 'm', version: 1, files: files('one') });
    const held = Promise.withResolvers<undefined>();
    b.onLoad = async (load) => {
      await held.promise;
      b.hold(load);
    };
    const loading = publisher.load({ name: 'm', version: 2, files: files('second') });
    while (a.loads.length < 2) await new Promise(setImmediate);
    expect([latest('m'), models.find('m', 2)]).toEqual([1, []]);
    held.resolve(undefined);
    await loading;
    expect([latest('m'), served('m', 2)]).toEqual([2, ['a', 'b']]);
    expect(served('m', 1)).toEqual(['a', 'b']);
  });

  it('changes nothing if one engine refuses', async () => {
    const [a, b] = [engine('a'), engine('b')];
    b.onLoad = () => Promise.reject(new RouterError('MODEL_LIMIT', 'it holds too many'));
    const loading = publisher.load({ name: 'm', version: 1, files: files('one') });
    await expect(loading).rejects.toThrow('1 of 2 engines did not load it, so none serves it: it holds too many');
    expect([models.versions, served('m', 1), a.unloads, readdirSync(dir)]).toEqual([[], [], ['m/1'], []]);
    expect(refused).toEqual(['m/1 LOAD_FAILED']);
  });

  it('continues without an engine that disconnects meanwhile', async () => {
    const [, b] = [engine('a'), engine('b')];
    b.onLoad = () => {
      b.down('killed');
      return Promise.reject(new RouterError('ENGINE_LOST', 'killed'));
    };
    await publisher.load({ name: 'm', version: 1, files: files('one') });
    expect(served('m', 1)).toEqual(['a']);
  });

  it('fails if no engine is connected', async () => {
    expect(await kindOf(publisher.load({ name: 'm', version: 1, files: files('one') }))).toBe('LOAD_FAILED');
  });

  it('continues without an engine that reports another model id, and reports it', async () => {
    const [, b] = [engine('a'), engine('b')];
    b.onLoad = (load) => {
      b.hold(load, 13n);
      return Promise.resolve();
    };
    await publisher.load({ name: 'm', version: 1, files: files('one') });
    expect([served('m', 1), lied]).toEqual([['a'], ['b']]);
  });

  it('fails if engines disagree on generated inputs', async () => {
    const [, b] = [engine('a'), engine('b')];
    b.behaviour = () => Promise.resolve(fakeInference({ stateDigest: 5n }));
    await expect(publisher.load({ name: 'm', version: 1, files: files('one') })).rejects.toThrow('do not agree');
    expect(models.versions).toEqual([]);
  });

  it.each([
    ['a name that is a path', { name: '../x', version: 1, files: files('one') }, 'INVALID_FIELD'],
    ['a file that is not a model', { name: 'm', version: 1, files: files('broken') }, 'MODEL_REFUSED'],
    ['an unknown setting', { name: 'm', version: 1, files: files('one', 'stepps: 3') }, 'MODEL_REFUSED'],
    ['the name of another model', { name: 'm', version: 1, files: files('one', 'name: n') }, 'MODEL_REFUSED'],
    ['a missing version', { name: 'm', version: 1 }, 'UNKNOWN_MODEL'],
  ])('refuses %s and leaves no files', async (_what, request, kind) => {
    engine('a');
    expect(await kindOf(publisher.load(request))).toBe(kind);
    expect([models.versions, readdirSync(dir)]).toEqual([[], []]);
  });

  it('does nothing for the same content and refuses other content', async () => {
    const a = engine('a');
    await publisher.load({ name: 'm', version: 1, files: files('one') });
    expect(await publisher.load({ name: 'm', version: 1, files: files('two') })).toMatchObject({ wasServed: true });
    expect(await kindOf(publisher.load({ name: 'm', version: 1, files: files('other') }))).toBe('MODEL_EXISTS');
    expect([a.loads, readFileSync(join(dir, 'm/1/model.nir'), 'utf8')]).toEqual([['m/1'], 'one']);
  });

  it('lists an invalid version in the folder with the reason', async () => {
    engine('a');
    mkdirSync(join(dir, 'm/1'), { recursive: true });
    writeFileSync(join(dir, 'm/1/model.nir'), 'broken');
    expect(await kindOf(publisher.load({ name: 'm', version: 1 }))).toBe('MODEL_REFUSED');
    expect(models.versions[0]?.error).toContain('is not a NIR file');
  });
});

describe('ModelPublisher.load with reload', () => {
  it('keeps the old version until its last request has ended', async () => {
    const a = engine('a');
    const { version: old } = await publisher.load({ name: 'm', version: 1, files: files('one') });
    old.use.begin();
    const { version } = await publisher.load({ name: 'm', version: 1, files: files('other'), reload: true });
    expect([version.heldAs, a.unloads]).toEqual(['m@0000000000000005.16', []]);
    expect([served(version.heldAs, 1), served('m', 1)]).toEqual([['a'], ['a']]);
    old.use.end();
    while (a.unloads.length === 0) await new Promise(setImmediate);
    expect([a.unloads, served('m', 1)]).toEqual([['m/1'], []]);
    expect(readFileSync(join(dir, 'm/1/model.nir'), 'utf8')).toBe('other');
  });

  it('restores the old files if it fails', async () => {
    const a = engine('a');
    await publisher.load({ name: 'm', version: 1, files: files('one') });
    a.onLoad = () => Promise.reject(new RouterError('MODEL_LIMIT', 'it holds too many'));
    const reloading = publisher.load({ name: 'm', version: 1, files: files('other'), reload: true });
    expect(await kindOf(reloading)).toBe('LOAD_FAILED');
    expect([readFileSync(join(dir, 'm/1/model.nir'), 'utf8'), served('m', 1)]).toEqual(['one', ['a']]);
  });

  it('reports that the old version has ended', async () => {
    engine('a');
    const ended: string[] = [];
    publisher.onEnded(({ name, version }, why) => ended.push(`${name}/${version} ${why}`));
    await publisher.load({ name: 'm', version: 1, files: files('one') });
    await publisher.load({ name: 'm', version: 1, files: files('other'), reload: true });
    await publisher.unload('m', 0);
    expect(ended).toEqual(['m/1 REPLACED', 'm/1 UNLOADED']);
  });
});

describe('ModelPublisher.unload', () => {
  it('refuses new requests and waits for those in flight before engines unload', async () => {
    const a = engine('a');
    const { version } = await publisher.load({ name: 'm', version: 1, files: files('one') });
    version.use.begin();
    const unloading = publisher.unload('m', 1);
    while (latest('m') !== undefined) await new Promise(setImmediate);
    expect(a.unloads).toEqual([]);
    version.use.end();
    expect(await unloading).toMatchObject({ drained: 1, isRemembered: true });
    expect([a.unloads, existsSync(join(dir, 'm/1/.unloaded'))]).toEqual([['m/1'], true]);
    expect(models.get('m', 1)?.isUnloaded).toBe(true);
  });

  it('makes the previous version the latest until the version is loaded again', async () => {
    engine('a');
    await publisher.load({ name: 'm', version: 1, files: files('one') });
    await publisher.load({ name: 'm', version: 2, files: files('second') });
    await publisher.unload('m', 0);
    expect(latest('m')).toBe(1);
    await publisher.load({ name: 'm', version: 2 });
    expect([latest('m'), served('m', 2), existsSync(join(dir, 'm/2/.unloaded'))]).toEqual([2, ['a'], false]);
  });

  it('deletes the files if requested', async () => {
    engine('a');
    await publisher.load({ name: 'm', version: 1, files: files('one') });
    await publisher.unload('m', 1, true);
    expect([models.versions, readdirSync(dir)]).toEqual([[], []]);
  });

  it('fails with UNKNOWN_MODEL for an unknown version', async () => {
    expect(await kindOf(publisher.unload('m', 1))).toBe('UNKNOWN_MODEL');
  });
});

describe('an engine that connects later', () => {
  it('loads the versions and serves them after it has answered their known inputs', async () => {
    engine('a');
    await publisher.load({ name: 'm', version: 1, files: files('one') });
    const late = new LoadingEngine('late');
    late.instanceId = 'late';
    const answers = Promise.withResolvers<undefined>();
    late.behaviour = async () => {
      await answers.promise;
      return fakeInference();
    };
    late.up();
    pool.add(late);
    while (late.calls.length === 0) await new Promise(setImmediate);
    expect([late.loads, served('m', 1)]).toEqual([['m/1'], ['a']]);
    answers.resolve(undefined);
    while (served('m', 1).length < 2) await new Promise(setImmediate);
    expect(served('m', 1)).toEqual(['a', 'late']);
  });

  it('does not serve a version if its answers are wrong', async () => {
    engine('a');
    await publisher.load({ name: 'm', version: 1, files: files('one') });
    const late = new LoadingEngine('late');
    late.instanceId = 'late';
    late.behaviour = () => Promise.resolve(fakeInference({ stateDigest: 5n }));
    late.up();
    const pooled = pool.add(late);
    await loads.sync(pooled);
    expect(served('m', 1)).toEqual(['a']);
  });

  it('unloads what was unloaded while it was disconnected', async () => {
    const a = engine('a');
    await publisher.load({ name: 'm', version: 1, files: files('one') });
    const { models: held } = a.description!;
    a.down('away');
    await publisher.unload('m', 1);
    a.up(...held);
    while (a.unloads.length === 0) await new Promise(setImmediate);
    expect(a.unloads).toEqual(['m/1']);
  });
});

describe('ModelPublisher.makeGolden', () => {
  it('stores answers on which all engines agree', async () => {
    engine('a');
    engine('b');
    await publisher.load({ name: 'm', version: 1, files: files('one') });
    expect(await publisher.makeGolden('m', 0, 3, false)).toMatchObject({ cases: 3, engineIds: ['a', 'b'] });
    expect(models.get('m', 1)?.golden).toHaveLength(3);
    const golden = JSON.parse(readFileSync(join(dir, 'm/1/golden.json'), 'utf8')) as { cases: unknown[] };
    expect(golden.cases).toHaveLength(3);
    expect(await kindOf(publisher.makeGolden('m', 0, 3, false))).toBe('MODEL_EXISTS');
  });

  it('needs two engines', async () => {
    engine('a');
    await publisher.load({ name: 'm', version: 1, files: files('one') });
    expect(await kindOf(publisher.makeGolden('m', 0, 3, false))).toBe('LOAD_FAILED');
  });
});
