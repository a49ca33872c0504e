// Load: store → read → load on every engine that is up → test with known inputs → serve, in one step.
//
// If a step fails, nothing has changed. A replacing version is held beside the old one until the last request for the
// old one has ended, so every answer comes from the weights of one version.
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type ModelFolder, listModelFolders, readFolder } from '../config/model-folders.ts';
import { RouterError } from '../core/errors.ts';
import { replacementName } from '../core/held-name.ts';
import type { ModelLoad } from '../engines/engine.ts';
import type { LoadedModel } from '../engines/local/messages.ts';
import type { PinnedModel } from '../engines/model-pins.ts';
import type { PooledEngine } from '../engines/pooled-engine.ts';
import { type ModelVersion, toVersion } from '../models/repository.ts';
import { type StagedVersion, checkModelName } from '../models/store.ts';
import { type HeldVersion, WrongModel, isLost, mayBeLoaded } from './engine-loads.ts';
import { exists, notLoaded, refused, unknown } from './errors.ts';
import { knownAnswers } from './known-inputs.ts';
import type { EndListener, LoadOutcome, LoadRequest, PublisherParts } from './parts.ts';
import { giveUp, retire } from './unload-version.ts';

/** Number of inputs on which engines must agree for a version without golden vectors. */
const AGREED_INPUTS = 2;

export class VersionLoader {
  readonly #parts: PublisherParts;
  readonly #ended: EndListener;

  /** `ended`: called for a replaced version. */
  constructor(parts: PublisherParts, ended: EndListener) {
    this.#parts = parts;
    this.#ended = ended;
  }

  /** Rejects with RouterError; then nothing has changed. */
  async load({ name, version: wanted, files, reload = false }: LoadRequest): Promise<LoadOutcome> {
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
      const version = toVersion(folder);
      const read = await pins.read({
        ...{ name, version: folder.version, manifest: folder.manifest! },
        path: join(folder.versionPath, 'model.nir'),
        known: version.golden,
      });
      checkRead(version, read.model);
      const before = models.get(name, folder.version);
      const served = before === undefined ? undefined : this.#servedPin(before);
      const isSame = served !== undefined && isSameContent(served, read.model);
      const isThere = known.some((each) => each.version === folder.version);
      if (isSame && readsAlike(before!, version)) {
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

  /** A version in the folder that cannot be served is listed with the reason. */
  #list(folder: ModelFolder, thrown: unknown): void {
    const { models, events } = this.#parts;
    if (models.get(folder.name, folder.version) !== undefined) return;
    models.put({ ...toVersion(folder), error: RouterError.from(thrown).message });
    events.changed();
  }

  /** The model's own name, unless engines hold different content under it. */
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
    loads.add(next); // first, so that engines must pass the test before they serve the pinned version
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
      if (!isSame) await giveUp(this.#parts, pin);
      throw thrown;
    }
    for (const { engine } of taken.engines) loads.prove(engine, next);
    await store.markUnloaded(folder, false);
    // From here on there is no await, so the version and its engines become visible to requests in one step.
    pool.pinsChanged();
    models.put(version);
    const engines = taken.engines.map(({ engine: { id }, tookMs }) => ({ engineId: id, tookMs }));
    const outcome = { version, wasServed: false, engines, knownInputs: next.known.length };
    const isReplaced = before !== undefined && !before.isUnloaded;
    if (isReplaced) this.#ended(before, 'REPLACED');
    events.changed();
    events.loaded(outcome, isReplaced ? before : undefined);
    for (const { engine, why } of taken.lied) events.lied(engine, why);
    if (before !== undefined && before.heldAs !== version.heldAs) void retire(this.#parts, before);
    return outcome;
  }

  /** Loads it on every engine that is up. Rejects if one could not load it; engines lost meanwhile do not count. */
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

/** Checks the engines' answers. */
function readsAlike(a: ModelVersion, b: ModelVersion): boolean {
  return isDeepStrictEqual([a.readout, a.vote, a.inputShape], [b.readout, b.vote, b.inputShape]);
}

export function toLoad({ name, version }: ModelVersion, folder: ModelFolder, pin: PinnedModel): ModelLoad {
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

function checkRead(version: ModelVersion, pin: PinnedModel): void {
  const error = pin.error || labelsProblem(version, pin);
  if (error !== '') throw refused(error);
}

/** Empty: no problem. */
export function labelsProblem({ readout }: ModelVersion, { outputSize }: PinnedModel): string {
  const labels = readout.labels.length;
  if (labels === 0 || labels === outputSize) return '';
  return `model.yaml: labels: there are ${labels} for ${outputSize} outputs; give one for each, or none`;
}
