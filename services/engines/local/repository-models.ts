// Every version of the model repository, read once, one after the other, in a thread of its own. The router pins what
// engines may serve to it, and the local engine runs the same networks: no file is read twice.
import { join } from 'node:path';
import { type ModelFolder, listModelFolders } from '../../config/model-folders.ts';
import type { ModelPins, PinnedModel } from '../model-pins.ts';
import { brokenModel } from './broken-model.ts';
import type { LoadedModel } from './messages.ts';
import { ModelLoader } from './model-loader.ts';

export interface RepositoryModelsOptions {
  readonly modelsDir: string;
  /** The networks themselves are wanted, for simulation; else their memory is given back at once. */
  readonly keepsNetworks: boolean;
}

export class RepositoryModels implements ModelPins {
  readonly #options: RepositoryModelsOptions;
  readonly #loader = new ModelLoader();
  /** By name, then version: each request looks it up. */
  readonly #pins = new Map<string, Map<number, PinnedModel>>();
  readonly #listeners: (() => void)[] = [];
  #loading: Promise<readonly LoadedModel[]> | undefined;
  #isStopped = false;

  constructor(options: RepositoryModelsOptions) {
    this.#options = options;
  }

  find(name: string, version: number): PinnedModel | undefined {
    return this.#pins.get(name)?.get(version);
  }

  /** Called after each version that has been read. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Reads the repository with the first call. Rejects where the folder cannot be listed. */
  load(): Promise<readonly LoadedModel[]> {
    return (this.#loading ??= this.#load());
  }

  /** Ends the reading; what has been read stays known. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#loader.close();
  }

  async #load(): Promise<readonly LoadedModel[]> {
    const loaded: LoadedModel[] = [];
    for (const folder of listModelFolders(this.#options.modelsDir)) {
      const next = await this.#loadOne(folder);
      if (this.#isStopped) return loaded;
      loaded.push(next);
      const versions = this.#pins.get(folder.name) ?? new Map<number, PinnedModel>();
      this.#pins.set(folder.name, versions.set(folder.version, next.model));
      for (const listener of this.#listeners) listener();
    }
    await this.#loader.close();
    return loaded;
  }

  async #loadOne({ name, version, path, manifest, error }: ModelFolder): Promise<LoadedModel> {
    if (manifest === undefined) {
      return { model: brokenModel({ name, version }, error), network: undefined, isReaderBroken: false };
    }
    const file = join(path, String(version), 'model.nir');
    return await this.#loader.load({ name, version, path: file, manifest, wantsNetwork: this.#options.keepsNetworks });
  }
}
