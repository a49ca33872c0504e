// Watches the model repository (setting models.watch): loads new versions, unloads removed ones, reloads changed ones.
// Waits until the folder has been unchanged for a while, since files are copied piece by piece.
import { type FSWatcher, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { type ModelFolder, listModelFolders } from '../config/model-folders.ts';
import type { ModelRepository } from '../models/repository.ts';
import type { ModelPublisher } from './publisher.ts';

interface WatchParts {
  readonly models: ModelRepository;
  readonly publisher: Pick<ModelPublisher, 'load' | 'unload'>;
  /** The folder cannot be watched or read. */
  readonly onProblem: (why: string) => void;
}

export class RepositoryWatch {
  readonly #dir: string;
  readonly #debounceMs: number;
  readonly #parts: WatchParts;
  /** "name/version" → stamp at the last check. */
  #seen = new Map<string, string>();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(dir: string, debounceMs: number, parts: WatchParts) {
    this.#dir = dir;
    this.#debounceMs = debounceMs;
    this.#parts = parts;
  }

  start(): void {
    try {
      this.#seen = this.#look();
      this.#watcher = watch(this.#dir, { recursive: true }, () => this.#touched());
      this.#watcher.on('error', (error) => this.#parts.onProblem(error.message));
    } catch (thrown) {
      this.#parts.onProblem((thrown as Error).message);
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#watcher?.close();
  }

  #touched(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#looking = this.#looking.then(() => this.takeUp());
    }, this.#debounceMs);
  }

  /** Compares the folder with its last state, and loads or unloads the difference. Never rejects. */
  async takeUp(): Promise<void> {
    let now: Map<string, string>;
    try {
      now = this.#look();
    } catch (thrown) {
      this.#parts.onProblem((thrown as Error).message);
      return;
    }
    const before = this.#seen;
    this.#seen = now;
    const { models, publisher } = this.#parts;
    for (const [key, mark] of now) {
      if (before.get(key) === mark) continue;
      const { name, version } = partsOf(key);
      // The publisher reports refusals. Its own writes equal what it serves, so they cause no load.
      await publisher.load({ name, version, reload: before.has(key) }).catch(() => undefined);
    }
    for (const key of before.keys()) {
      const { name, version } = partsOf(key);
      if (now.has(key) || models.get(name, version) === undefined) continue;
      await publisher.unload(name, version, true).catch(() => undefined);
    }
  }

  /** Unloaded versions are left unchanged. */
  #look(): Map<string, string> {
    const folders = listModelFolders(this.#dir).filter(({ isUnloaded }) => !isUnloaded);
    return new Map(folders.map((folder) => [`${folder.name}/${folder.version}`, markOf(folder)]));
  }
}

function partsOf(key: string): { name: string; version: number } {
  const slash = key.lastIndexOf('/');
  return { name: key.slice(0, slash), version: Number(key.slice(slash + 1)) };
}

/** Changes if a file of the version changes. */
function markOf({ versionPath, text, error }: ModelFolder): string {
  const stats = statSync(join(versionPath, 'model.nir'), { throwIfNoEntry: false });
  const file = stats === undefined ? 'none' : `${stats.size} ${stats.mtimeMs} ${stats.ino}`;
  return `${file} ${text} ${error}`;
}
