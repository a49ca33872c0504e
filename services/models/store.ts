// Writes versions to the model repository. A version is written to a temporary folder, flushed to disk, and then moved
// to its place, so readers never see a partial version. The replaced version is kept until the new one is served, and
// restored if that fails, also at the next start.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Manifest, parseManifest } from '../config/manifest.ts';
import { type ModelFolder, UNLOADED_MARK, readFolder, readVersionFolder } from '../config/model-folders.ts';
import { RouterError } from '../core/errors.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const NEW = '.tandem-new-';
const REPLACED = '.replaced';
/**
 * Age after which temporary folders are leftovers of a process that ended while writing; newer ones may belong to
 * another router.
 */
const LEFT_MS = 3_600_000;

export interface VersionFiles {
  readonly nir: Uint8Array;
  /** Text of model.yaml; undefined: the model's, or all defaults. */
  readonly manifest: string | undefined;
  /** Content of the manifest's `labels` file; empty: not given. */
  readonly labels: string;
  /** Content of golden.json; empty: not given. */
  readonly golden: string;
  /** Content of the manifest's `tokenizer` file; undefined: not given. */
  readonly tokenizer?: Uint8Array | undefined;
}

/** A version in a temporary folder. */
export interface StagedVersion {
  /** The version in the temporary folder. */
  readonly folder: ModelFolder;
  /** Moves it to its place. */
  commit(): Promise<ModelFolder>;
  /** Removes it, and restores the version that it replaced. */
  rollback(): Promise<void>;
  /** Deletes the version that it replaced. */
  finish(): Promise<void>;
}

/** Throws INVALID_FIELD: names become folders, so they must not be paths. */
export function checkModelName(name: string): void {
  if (NAME.test(name)) return;
  const shown = JSON.stringify(name.slice(0, 64));
  const message = `name ${shown} is no model name: use letters, digits, ".", "_" and "-", a letter or digit first, at most 128`;
  throw new RouterError('INVALID_FIELD', message, { field: 'name' });
}

export class ModelStore {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** `modelFolder`: the folder of the model's other versions, if it exists. Throws MODEL_REFUSED. */
  async stage(modelFolder: string, version: number, files: VersionFiles): Promise<StagedVersion> {
    const path = join(this.#dir, `${NEW}${randomBytes(8).toString('hex')}`);
    const model = join(this.#dir, modelFolder);
    try {
      await mkdir(path);
      for (const [name, content] of contents(version, files)) await writeFlushed(join(path, name), content);
      await flush(path);
    } catch (thrown) {
      await rm(path, { recursive: true, force: true });
      throw cannotWrite(this.#dir, thrown);
    }
    const target = join(model, String(version));
    const replaced = join(this.#dir, REPLACED, modelFolder, String(version));
    let isMoved = false;
    return {
      folder: readVersionFolder(path, model, modelFolder, version),
      commit: async () => {
        try {
          await mkdir(model, { recursive: true });
          if (existsSync(target)) await moveAway(target, replaced);
          await rename(path, target);
          isMoved = true;
          await flush(model);
        } catch (thrown) {
          throw cannotWrite(this.#dir, thrown);
        }
        return readFolder(this.#dir, modelFolder, version);
      },
      rollback: async () => {
        await rm(path, { recursive: true, force: true });
        if (isMoved) await rm(target, { recursive: true, force: true });
        if (existsSync(replaced)) await rename(replaced, target);
        await removeIfEmpty(model);
      },
      finish: () => rm(replaced, { recursive: true, force: true }),
    };
  }

  /** Deletes a version's files, and with the last version the model's folder. */
  async remove({ versionPath }: ModelFolder): Promise<void> {
    await rm(versionPath, { recursive: true, force: true });
    await removeIfEmpty(dirname(versionPath));
  }

  /** Stores beside the version whether it is unloaded. False: the folder cannot be written. */
  async markUnloaded({ versionPath }: ModelFolder, isUnloaded: boolean): Promise<boolean> {
    const mark = join(versionPath, UNLOADED_MARK);
    try {
      if (isUnloaded) await writeFlushed(mark, '');
      else await rm(mark, { force: true });
      return true;
    } catch {
      return false;
    }
  }

  /** Writes a file of a version atomically. */
  async writeBeside({ versionPath }: ModelFolder, name: string, content: string): Promise<void> {
    const path = join(versionPath, `.${name}.new`);
    try {
      await writeFlushed(path, content);
      await rename(path, join(versionPath, name));
    } catch (thrown) {
      throw cannotWrite(this.#dir, thrown);
    }
  }

  /** Leftovers of a router that ended during a load. */
  async recover(): Promise<void> {
    for (const entry of await readdir(this.#dir)) {
      const path = join(this.#dir, entry);
      if (entry.startsWith(NEW) && Date.now() - (await stat(path)).mtimeMs > LEFT_MS) {
        await rm(path, { recursive: true, force: true });
      }
    }
    const replaced = join(this.#dir, REPLACED);
    for (const model of await readdir(replaced).catch(() => [])) {
      for (const version of await readdir(join(replaced, model))) {
        const [kept, target] = [join(replaced, model, version), join(this.#dir, model, version)];
        if (existsSync(target)) await rm(kept, { recursive: true });
        else await rename(kept, target);
      }
    }
  }
}

function contents(version: number, files: VersionFiles): [string, string | Uint8Array][] {
  const { nir, manifest, labels, golden, tokenizer } = files;
  const all: [string, string | Uint8Array][] = [['model.nir', nir]];
  if (manifest !== undefined) all.push(['model.yaml', manifest]);
  if (labels !== '') all.push([fileOf(manifest, 'labels'), labels]);
  if (golden !== '') all.push(['golden.json', goldenOf(golden, version)]);
  if (tokenizer !== undefined) all.push([fileOf(manifest, 'tokenizer'), tokenizer]);
  return all;
}

/** The file that the manifest names. Throws MODEL_REFUSED if it names none beside it. */
function fileOf(manifest: string | undefined, setting: 'labels' | 'tokenizer'): string {
  const named = parse(manifest)[setting];
  if (typeof named === 'string' && basename(named) === named && !named.startsWith('.')) return named;
  const orList = setting === 'labels' ? ', or list them there' : '';
  const file = setting === 'labels' ? 'labels.txt' : 'tokenizer.json';
  const message = `${setting}: the manifest names no file of that; add "${setting}: ${file}" to it${orList}`;
  throw new RouterError('MODEL_REFUSED', message, { field: setting });
}

function parse(manifest = ''): Manifest {
  try {
    return parseManifest(manifest);
  } catch (thrown) {
    throw new RouterError('MODEL_REFUSED', (thrown as Error).message, { field: 'manifest' });
  }
}

/** The golden file belongs to the version that it comes with. */
function goldenOf(text: string, version: number): string {
  try {
    const golden = JSON.parse(text) as object;
    return JSON.stringify({ ...golden, model_version: version });
  } catch (thrown) {
    throw new RouterError('MODEL_REFUSED', `golden: ${(thrown as Error).message}`, { field: 'golden' });
  }
}

async function removeIfEmpty(folder: string): Promise<void> {
  const left = await readdir(folder).catch(() => ['?']);
  if (left.length === 0) await rm(folder, { recursive: true });
}

async function moveAway(target: string, replaced: string): Promise<void> {
  await mkdir(dirname(replaced), { recursive: true });
  await rm(replaced, { recursive: true, force: true });
  await rename(target, replaced);
}

async function writeFlushed(path: string, content: string | Uint8Array): Promise<void> {
  await writeFile(path, content, { flag: 'w', flush: true });
}

/** The entries of a folder. */
async function flush(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function cannotWrite(dir: string, thrown: unknown): Error {
  if (thrown instanceof RouterError) return thrown;
  const { message } = thrown as Error;
  return new RouterError('LOAD_FAILED', `the model repository ${dir} cannot be written: ${message}`, { cause: thrown });
}
