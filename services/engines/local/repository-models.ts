// Reads every version of the model repository in a separate thread, one after another: the default model first, then
// from small to large files. Engines may serve only what matches the versions read here, and the local engine runs the
// same networks. A slow file is interrupted and read again after all others, so that it does not delay them for long.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type ModelFolder, listModelFolders } from '../../config/model-folders.ts';
import { compareNames } from '../../core/names.ts';
import { versionKey } from '../../core/version-key.ts';
import type { ModelPins, PinnedModel } from '../model-pins.ts';
import { brokenModel } from './broken-model.ts';
import type { KnownRun, LoadRequest, LoadedModel } from './messages.ts';
import { ModelLoader } from './model-loader.ts';

/** Time limit of a file while others wait, milliseconds. */
const TURN_MS = 2_000;

interface RepositoryModelsOptions {
  readonly modelsDir: string;
  /** The model that is read first. */
  readonly defaultModel?: string;
  /** Whether the networks are needed for simulation; else their memory is released at once. */
  readonly keepsNetworks: boolean;
  /** Golden vectors of a version. */
  readonly known?: (name: string, version: number) => readonly KnownRun[];
}

export class RepositoryModels implements ModelPins {
  readonly #options: RepositoryModelsOptions;
  readonly #loader: Pick<ModelLoader, 'load' | 'close'>;
  /** By name, then version: looked up by each request. */
  readonly #pins = new Map<string, Map<number, PinnedModel>>();
  readonly #listeners: ((model: PinnedModel) => void)[] = [];
  #loading: Promise<readonly LoadedModel[]> | undefined;
  /** "name/version" → the loaded model. */
  readonly #read = new Map<string, LoadedModel>();
  /** One file is read at a time. */
  #last: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  /** A test may replace the loader. */
  constructor(options: RepositoryModelsOptions, loader: Pick<ModelLoader, 'load' | 'close'> = new ModelLoader()) {
    this.#options = options;
    this.#loader = loader;
  }

  find(name: string, version: number): PinnedModel | undefined {
    return this.#pins.get(name)?.get(version);
  }

  /** Called after each version is read. */
  onChange(listener: (model: PinnedModel) => void): void {
    this.#listeners.push(listener);
  }

  /** The first call reads the repository. Rejects if the folder cannot be listed. */
  load(): Promise<readonly LoadedModel[]> {
    this.#loading ??= this.#load();
    this.#last = this.#loading.catch(() => undefined);
    return this.#loading;
  }

  /** Reads another version without pinning it. Never rejects: an error is in `model.error`. */
  read(source: Omit<LoadRequest, 'wantsNetwork'>): Promise<LoadedModel> {
    const wantsNetwork = this.#options.keepsNetworks;
    const reading = this.#last.then(() => this.#loader.load({ ...source, wantsNetwork }));
    this.#last = reading;
    return reading;
  }

  /** From now on engines must match this one, which replaces the version of the same name and number. */
  put(loaded: LoadedModel): void {
    this.#pin(loaded);
  }

  drop(name: string, version: number): void {
    this.#pins.get(name)?.delete(version);
    this.#read.delete(versionKey(name, version));
  }

  /** The loaded model of a pinned version. */
  loaded(name: string, version: number): LoadedModel | undefined {
    return this.#read.get(versionKey(name, version));
  }

  /** Stops reading; the versions already read stay. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#loader.close();
  }

  async #load(): Promise<readonly LoadedModel[]> {
    const loaded: LoadedModel[] = [];
    const late: ModelFolder[] = [];
    const folders = this.#inOrder();
    for (const folder of folders) {
      const next = await this.#loadOne(folder, folders.length > 1 ? TURN_MS : undefined);
      if (this.#isStopped) return loaded;
      if (next.isLate) late.push(folder);
      else loaded.push(this.#pin(next));
    }
    for (const folder of late) {
      const next = await this.#loadOne(folder);
      if (this.#isStopped) return loaded;
      loaded.push(this.#pin(next));
    }
    await this.#loader.close(); // the next read starts it again
    return loaded.sort(({ model: a }, { model: b }) => compareNames(a.name, b.name) || a.version - b.version);
  }

  #inOrder(): ModelFolder[] {
    const { modelsDir, defaultModel } = this.#options;
    const isOther = ({ name }: ModelFolder): number => (name === defaultModel ? 0 : 1);
    const folders = listModelFolders(modelsDir).filter(({ isUnloaded }) => !isUnloaded);
    const bytes = new Map(folders.map((folder) => [folder, sizeOf(fileOf(folder))]));
    return folders.sort((a, b) => isOther(a) - isOther(b) || bytes.get(a)! - bytes.get(b)!);
  }

  #pin(loaded: LoadedModel): LoadedModel {
    const { model } = loaded;
    const versions = this.#pins.get(model.name) ?? new Map<number, PinnedModel>();
    this.#pins.set(model.name, versions.set(model.version, model));
    this.#read.set(versionKey(model.name, model.version), loaded);
    for (const listener of this.#listeners) listener(model);
    return loaded;
  }

  async #loadOne(folder: ModelFolder, timeoutMs?: number): Promise<LoadedModel> {
    const { name, version, manifest, error } = folder;
    if (manifest === undefined) {
      return { model: brokenModel({ name, version }, error), network: undefined, isReaderBroken: false };
    }
    const path = fileOf(folder);
    const wantsNetwork = this.#options.keepsNetworks;
    const known = this.#options.known?.(name, version);
    return await this.#loader.load({ name, version, path, manifest, wantsNetwork, known }, timeoutMs);
  }
}

function fileOf({ versionPath }: ModelFolder): string {
  return join(versionPath, 'model.nir');
}

/** 0 if unknown: reading the file reports the error. */
function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
