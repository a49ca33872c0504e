// Model versions come and go while requests run. One change after the other, and each of them whole:
//
//   load     store → read → hold on every engine that is up → known inputs on each → served, at one moment
//   unload   not served any more → the last request ends → given up by the engines
//
// Where a step of a load fails, all is as it was. A version that takes the place of another one is held beside it until
// the last request for that one has ended, so that every answer is of one version's weights.
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type ModelFolder, listModelFolders, readFolder } from '../config/model-folders.ts';
import { RouterError } from '../core/errors.ts';
import { replacementName } from '../core/held-name.ts';
import type { ModelLoad } from '../engines/engine.ts';
import type { LoadedModel } from '../engines/local/messages.ts';
import type { RepositoryModels } from '../engines/local/repository-models.ts';
import type { PinnedModel } from '../engines/model-pins.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { PooledEngine } from '../engines/pooled-engine.ts';
import { goldenText } from '../models/golden.ts';
import { type ModelRepository, type ModelVersion, keyOf, toVersion } from '../models/repository.ts';
import { type ModelStore, type StagedVersion, type VersionFiles, checkModelName } from '../models/store.ts';
import { type EngineLoads, type HeldVersion, WrongModel, isLost, mayBeLoaded } from './engine-loads.ts';
import { knownAnswers } from './known-inputs.ts';

/** Changes that wait for each other. */
const MAX_WAITING = 16;
/** Inputs on which engines must agree, of a version without golden vectors. */
const AGREED_INPUTS = 2;
const MAX_GOLDEN_CASES = 64;

export interface LoadRequest {
  readonly name: string;
  /** 0: with `files` the one after the highest, else the highest that the repository has. */
  readonly version: number;
  /** Undefined: as the repository has it. */
  readonly files?: VersionFiles | undefined;
  /** It may take the place of a version that is served with other content. */
  readonly reload?: boolean;
}

export interface LoadOutcome {
  readonly version: ModelVersion;
  /** It was served as it is already. */
  readonly wasServed: boolean;
  readonly engines: readonly { readonly engineId: string; readonly tookMs: number }[];
  /** Inputs that each of them got right. */
  readonly knownInputs: number;
}

export interface UnloadOutcome {
  readonly version: ModelVersion;
  /** Requests that were finished first. */
  readonly drained: number;
  /** It stays unloaded when the router starts again: the folder could be written. */
  readonly isRemembered: boolean;
}

export interface GoldenOutcome {
  readonly version: ModelVersion;
  readonly cases: number;
  readonly engineIds: readonly string[];
  readonly kinds: number;
}

export interface PublisherEvents {
  /** A version is served from now on; `before`: what it took the place of. */
  loaded(outcome: LoadOutcome, before: ModelVersion | undefined): void;
  unloaded(outcome: UnloadOutcome): void;
  /** A load or an unload did not happen. */
  refused(what: 'load' | 'unload', model: string, error: RouterError): void;
  /** What requests, or health, may depend on has changed. */
  changed(): void;
  /** An engine said of a model what cannot be. */
  lied(engine: PooledEngine, why: string): void;
}

export type VersionEnd = 'UNLOADED' | 'REPLACED';
type EndListener = (version: ModelVersion, why: VersionEnd) => void;

export interface PublisherParts {
  readonly modelsDir: string;
  readonly models: ModelRepository;
  readonly store: ModelStore;
  readonly pins: Pick<RepositoryModels, 'read' | 'put' | 'drop' | 'find'>;
  readonly pool: EnginePool;
  readonly loads: EngineLoads;
  readonly events: PublisherEvents;
}

export class ModelPublisher {
  readonly #parts: PublisherParts;
  readonly #ended: EndListener[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  /** Called when a version is served no more, before the last requests for it have ended: state of it is worth nothing. */
  onEnded(listener: EndListener): void {
    this.#ended.push(listener);
  }

  /** What the repository had at the start: engines that lack a version of it are given it. */
  adopt(pin: PinnedModel): void {
    const { models, loads, pool } = this.#parts;
    const version = models.versions.find((each) => each.heldAs === pin.name && each.version === pin.version);
    if (version?.folder === undefined || version.isUnloaded || version.error !== '' || pin.error !== '') return;
    if (loads.find(pin.name, pin.version) !== undefined) return;
    const load = toLoad(version, version.folder, pin);
    loads.add({ load, pin, known: knownAnswers(version, pin), isManaged: false });
    for (const engine of pool.engines) void loads.sync(engine);
  }

  /** All engines that are up serve it, or none does. Rejects with RouterError. */
  load(request: LoadRequest): Promise<LoadOutcome> {
    const { events } = this.#parts;
    return this.#inTurn(async () => {
      try {
        return await this.#load(request);
      } catch (thrown) {
        const error = RouterError.from(thrown);
        events.refused('load', `${request.name}/${request.version || 'latest'}`, error);
        throw error;
      }
    });
  }

  /** `version` 0: the latest that is served. Rejects with RouterError. */
  unload(name: string, version: number, deleteFiles = false): Promise<UnloadOutcome> {
    const { events } = this.#parts;
    return this.#inTurn(async () => {
      try {
        return await this.#unload(name, version, deleteFiles);
      } catch (thrown) {
        const error = RouterError.from(thrown);
        events.refused('unload', `${name}/${version || 'latest'}`, error);
        throw error;
      }
    });
  }

  /** Makes golden vectors of made-up inputs, on which all engines that hold the version agree. Rejects with RouterError. */
  makeGolden(name: string, version: number, cases: number, replace: boolean): Promise<GoldenOutcome> {
    return this.#inTurn(() => this.#makeGolden(name, version, cases, replace));
  }

  /** Resolves when what was asked for so far is done. */
  async idle(): Promise<void> {
    await this.#last;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= MAX_WAITING) {
      const message = `${MAX_WAITING} changes of models wait for each other already; try again in a moment`;
      return Promise.reject(new RouterError('LOADS_BUSY', message, { retryAfterMs: 1_000 }));
    }
    this.#waiting += 1;
    const result = this.#last.then(work).finally(() => (this.#waiting -= 1));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #load({ name, version: wanted, files, reload = false }: LoadRequest): Promise<LoadOutcome> {
    const { models, modelsDir, store, pins } = this.#parts;
    if (files !== undefined) checkModelName(name);
    const folders = listModelFolders(modelsDir);
    const known = folders.filter((each) => each.name === name);
    let staged: StagedVersion | undefined;
    let folder: ModelFolder;
    if (files === undefined) folder = findFolder(known, folders, name, wanted);
    else {
      const modelFolder = known[0] === undefined ? name : basename(dirname(known[0].versionPath));
      const highest = known.at(-1)?.version ?? 0;
      staged = await store.stage(modelFolder, wanted || highest + 1, files);
      folder = staged.folder;
    }
    try {
      checkUsable(folder, name);
      const read = await pins.read({
        ...{ name, version: folder.version, manifest: folder.manifest! },
        path: join(folder.versionPath, 'model.nir'),
      });
      checkRead(toVersion(folder), read.model);
      const before = models.get(name, folder.version);
      const served = before === undefined ? undefined : this.#servedPin(before);
      const isSame = served !== undefined && isSameContent(served, read.model);
      const isThere = known.some((each) => each.version === folder.version);
      if (isSame && readsAlike(before!, toVersion(folder))) {
        await staged?.rollback();
        return { version: before!, wasServed: true, engines: [], knownInputs: 0 };
      }
      if (!reload && (served !== undefined || (staged !== undefined && isThere))) {
        throw exists(name, folder.version, served !== undefined);
      }
      if (staged !== undefined) folder = await staged.commit();
      const heldAs = isSame ? before!.heldAs : this.#freeName(name, read.model);
      const outcome = await this.#publish(folder, named(read, heldAs), before, isSame);
      await staged?.finish();
      return outcome;
    } catch (thrown) {
      await staged?.rollback();
      if (staged === undefined) this.#list(folder, thrown);
      throw thrown;
    }
  }

  /** A version that was put into the folder and cannot be served is listed, with the reason. */
  #list(folder: ModelFolder, thrown: unknown): void {
    const { models, events } = this.#parts;
    if (models.get(folder.name, folder.version) !== undefined) return;
    models.put({ ...toVersion(folder), error: RouterError.from(thrown).message });
    events.changed();
  }

  /** The model's own, unless engines hold other content under it. */
  #freeName(name: string, { version, modelId, steps }: PinnedModel): string {
    const held = this.#parts.pins.find(name, version);
    return held === undefined || held.error !== '' ? name : replacementName(name, modelId, steps);
  }

  async #publish(
    folder: ModelFolder,
    read: LoadedModel,
    before: ModelVersion | undefined,
    isSame: boolean,
  ): Promise<LoadOutcome> {
    const { models, store, pins, pool, loads, events } = this.#parts;
    const pin = read.model;
    const version = { ...toVersion(folder, pin.name), isUnloaded: false };
    const held = loads.find(pin.name, pin.version);
    const load = toLoad(version, folder, pin);
    let next: HeldVersion = { load, pin, known: knownAnswers(version, pin), isManaged: held?.isManaged ?? true };
    loads.add(next); // first: what is pinned then waits for its engines to prove themselves
    pins.put(read);
    let taken: Taken;
    try {
      taken = await this.#onEngines(next);
      if (next.known.length === 0) {
        const known = await loads.agree(
          taken.engines.map(({ engine }) => engine),
          pin,
          AGREED_INPUTS,
        );
        next = { ...next, known };
        loads.add(next);
      }
    } catch (thrown) {
      if (!isSame) await this.#giveUp(pin);
      throw thrown;
    }
    for (const { engine } of taken.engines) loads.prove(engine, next);
    await store.markUnloaded(folder, false);
    // From here to the end nothing waits: requests find the version, and engines that serve it, at one moment.
    pool.pinsChanged();
    models.put(version);
    const engines = taken.engines.map(({ engine: { id }, tookMs }) => ({ engineId: id, tookMs }));
    const outcome = { version, wasServed: false, engines, knownInputs: next.known.length };
    const isReplaced = before !== undefined && !before.isUnloaded;
    if (isReplaced) for (const listener of this.#ended) listener(before, 'REPLACED');
    events.changed();
    events.loaded(outcome, isReplaced ? before : undefined);
    for (const { engine, why } of taken.lied) events.lied(engine, why);
    if (before !== undefined && before.heldAs !== version.heldAs) void this.#retire(before);
    return outcome;
  }

  /** On every engine that is up. Rejects where one could not take it; those that are lost meanwhile do not count. */
  async #onEngines(version: HeldVersion): Promise<Taken> {
    const { pool, loads } = this.#parts;
    const engines = pool.engines.filter(mayBeLoaded);
    const results = await Promise.all(
      engines.map(async (engine) => {
        const startedMs = performance.now();
        try {
          await loads.bring(engine, version);
          return { engine, tookMs: performance.now() - startedMs, error: undefined };
        } catch (thrown) {
          return { engine, tookMs: 0, error: RouterError.from(thrown) };
        }
      }),
    );
    const lied: Taken['lied'][number][] = [];
    const failed: RouterError[] = [];
    for (const { engine, error } of results) {
      if (error === undefined || isLost(engine, error)) continue;
      if (error instanceof WrongModel) lied.push({ engine, why: error.message });
      else failed.push(error);
    }
    const taken = results.filter(({ error }) => error === undefined);
    const [first] = failed;
    if (first !== undefined) throw notLoaded(first, failed.length, engines.length);
    if (taken.length === 0) {
      const why = lied[0]?.why ?? 'no engine is up';
      throw new RouterError('LOAD_FAILED', `no engine has loaded it, so it is not served: ${why}`);
    }
    return { engines: taken, lied };
  }

  async #giveUp(pin: PinnedModel): Promise<void> {
    const { pins, pool, loads, events } = this.#parts;
    loads.delete(pin);
    await Promise.all(pool.engines.map((engine) => loads.unload(engine, pin.name, pin.version)));
    pins.drop(pin.name, pin.version);
    pool.pinsChanged();
    events.changed();
  }

  /** A version that is not served any more, once the last request for it has ended. */
  async #retire({ heldAs, version, use }: ModelVersion): Promise<void> {
    await use.idle();
    const pin = this.#parts.pins.find(heldAs, version);
    if (pin !== undefined) await this.#giveUp(pin);
  }

  async #unload(name: string, number: number, deleteFiles: boolean): Promise<UnloadOutcome> {
    const { models, store, events } = this.#parts;
    const found = number === 0 ? models.find(name, 0)[0] : models.get(name, number);
    if (found === undefined) throw unknown(name, number, models.versions);
    const version = { ...found, isUnloaded: true };
    const drained = found.use.count;
    if (!found.isUnloaded) {
      models.put(version);
      for (const listener of this.#ended) listener(found, 'UNLOADED');
      events.changed();
    }
    let isRemembered = true;
    if (deleteFiles) {
      if (found.folder !== undefined) await store.remove(found.folder);
      models.remove(version);
    } else if (found.folder !== undefined) isRemembered = await store.markUnloaded(found.folder, true);
    await this.#retire(found);
    const outcome = { version, drained, isRemembered };
    events.unloaded(outcome);
    return outcome;
  }

  async #makeGolden(name: string, number: number, cases: number, replace: boolean): Promise<GoldenOutcome> {
    const { models, pins, pool, loads, store } = this.#parts;
    if (cases < 1 || cases > MAX_GOLDEN_CASES) {
      const message = `cases is ${cases}; give 1 to ${MAX_GOLDEN_CASES}`;
      throw new RouterError('INVALID_FIELD', message, { field: 'cases' });
    }
    const version = models.find(name, number)[0];
    const pin = version && pins.find(version.heldAs, version.version);
    if (version?.folder === undefined || pin === undefined) throw unknown(name, number, models.versions);
    if (version.golden.length > 0 && !replace) {
      const message = `model ${keyOf(version)} has ${version.golden.length} golden vectors; ask for replacing to make others`;
      throw new RouterError('MODEL_EXISTS', message, { field: 'replace' });
    }
    const engines = pool.holders(version.heldAs, version.version);
    if (engines.length < 2) {
      const message = `golden vectors need two engines that agree, and ${engines.length} hold model ${keyOf(version)}`;
      throw new RouterError('LOAD_FAILED', message);
    }
    const known = await loads.agree(engines, pin, cases);
    if (known.length === 0) throw new RouterError('LOAD_FAILED', 'no made-up input has an answer on this model');
    const golden = known.map(({ input, stateDigest, readoutDigest }, index) => ({
      ...{ name: `made up ${index + 1}`, data: Buffer.from(input.data), shape: input.shape },
      ...{ stateDigest, readoutDigest },
    }));
    await store.writeBeside(version.folder, 'golden.json', goldenText(version.version, golden));
    models.put({ ...version, golden });
    const held = loads.find(pin.name, pin.version);
    if (held !== undefined) loads.add({ ...held, known });
    const kinds = new Set(engines.map(({ kind }) => kind)).size;
    return { version: { ...version, golden }, cases: golden.length, engineIds: engines.map(({ id }) => id), kinds };
  }

  #servedPin({ heldAs, version, isUnloaded, error }: ModelVersion): PinnedModel | undefined {
    const pin = this.#parts.pins.find(heldAs, version);
    return isUnloaded || error !== '' || pin?.error !== '' ? undefined : pin;
  }
}

interface Taken {
  readonly engines: readonly { readonly engine: PooledEngine; readonly tookMs: number }[];
  readonly lied: readonly { readonly engine: PooledEngine; readonly why: string }[];
}

function named(read: LoadedModel, heldAs: string): LoadedModel {
  return { ...read, model: { ...read.model, name: heldAs } };
}

function isSameContent(a: PinnedModel, b: PinnedModel): boolean {
  return a.modelId === b.modelId && a.steps === b.steps;
}

/** What the router makes of the engines' answers. */
function readsAlike(a: ModelVersion, b: ModelVersion): boolean {
  return isDeepStrictEqual([a.readout, a.vote, a.inputShape], [b.readout, b.vote, b.inputShape]);
}

function toLoad({ name, version }: ModelVersion, folder: ModelFolder, pin: PinnedModel): ModelLoad {
  return {
    ...{ name, version, heldAs: pin.name, modelId: pin.modelId, manifest: folder.text },
    steps: pin.inputKind === 'constant' ? pin.steps : 0,
    nir: () => readFileSync(join(folder.versionPath, 'model.nir')),
  };
}

function findFolder(
  known: readonly ModelFolder[],
  all: readonly ModelFolder[],
  name: string,
  version: number,
): ModelFolder {
  const found = version === 0 ? known.at(-1) : known.find((each) => each.version === version);
  if (found === undefined) throw unknown(name, version, all);
  return readFolder(dirname(dirname(found.versionPath)), basename(dirname(found.versionPath)), found.version);
}

function unknown(
  name: string,
  version: number,
  all: readonly { readonly name: string; readonly version: number }[],
): RouterError {
  const there = all.map((each) => `${each.name}/${each.version}`).join(', ');
  const what = `${JSON.stringify(name.slice(0, 64))}${version > 0 ? ` version ${version}` : ''}`;
  const message = `the repository has no model ${what}; it has: ${there || 'none'}`;
  return new RouterError('UNKNOWN_MODEL', message, { field: version > 0 ? 'version' : 'name' });
}

function checkUsable(folder: ModelFolder, name: string): void {
  if (folder.error !== '') throw refused(folder.error);
  if (folder.name !== name) {
    throw refused(
      `model.yaml: name is "${folder.name}", and "${name}" is to be loaded; make them equal, or leave it out`,
    );
  }
  const { error } = toVersion(folder);
  if (error !== '') throw refused(error);
}

function checkRead({ readout }: ModelVersion, { error, outputSize }: PinnedModel): void {
  if (error !== '') throw refused(error);
  const labels = readout.labels.length;
  if (labels === 0 || labels === outputSize) return;
  throw refused(`it has ${labels} labels for ${outputSize} outputs; give one for each, or none`);
}

function refused(why: string): RouterError {
  return new RouterError('MODEL_REFUSED', `the model cannot be used: ${why}`, { field: 'nir' });
}

function exists(name: string, version: number, isServed: boolean): RouterError {
  const message =
    `model ${name}/${version} is ${isServed ? 'served' : 'in the repository'} with other content; ` +
    'load it as another version, or ask for a reload to replace it';
  return new RouterError('MODEL_EXISTS', message, { field: 'version' });
}

function notLoaded(first: RouterError, failed: number, all: number): RouterError {
  const message = `${failed} of ${all} engines did not load it, so none serves it: ${first.message}`;
  return new RouterError('LOAD_FAILED', message, { cause: first });
}
