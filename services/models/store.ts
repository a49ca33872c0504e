// Writes into the model repository. A version is written beside it, flushed to the disk, and moved into its place whole: who
// reads the folder never sees half of one. What it replaces is kept until the new one is served, and put back if it never is,
// also by the next start.
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
/** What a process has left that ended while it wrote; younger ones may be another router's. */
const LEFT_MS = 3_600_000;

export interface VersionFiles {
  readonly nir: Uint8Array;
  /** Text of model.yaml; undefined: that of the model, or all defaults. */
  readonly manifest: string | undefined;
  /** Content of the file that the manifest's `labels` names; empty: not given. */
  readonly labels: string;
  /** Content of golden.json; empty: not given. */
  readonly golden: string;
  /** Content of the file that the manifest's `tokenizer` names; undefined: not given. */
  readonly tokenizer?: Uint8Array | undefined;
}

/** A version that lies beside the repository. */
export interface StagedVersion {
  /** As it lies there. */
  readonly folder: ModelFolder;
  /** Moves it into its place. */
  commit(): Promise<ModelFolder>;
  /** Takes it away, and puts back what it has replaced. */
  rollback(): Promise<void>;
  /** Gives up what it has replaced. */
  finish(): Promise<void>;
}

/** Throws INVALID_FIELD: names are folders, so that they must not be paths. */
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

  /** `modelFolder`: the folder of the model's other versions, where it has one. Throws MODEL_REFUSED. */
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

  /** Deletes a version's files, and the model's folder with the last one. */
  async remove({ versionPath }: ModelFolder): Promise<void> {
    await rm(versionPath, { recursive: true, force: true });
    await removeIfEmpty(dirname(versionPath));
  }

  /** Whether it is unloaded is remembered beside it. False: the folder cannot be written. */
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

  /** Puts a file of a version into its place, whole. */
  async writeBeside({ versionPath }: ModelFolder, name: string, content: string): Promise<void> {
    const path = join(versionPath, `.${name}.new`);
    try {
      await writeFlushed(path, content);
      await rename(path, join(versionPath, name));
    } catch (thrown) {
      throw cannotWrite(this.#dir, thrown);
    }
  }

  /** What a router has left that ended in the middle of a load. */
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

/** The file that the manifest names. Throws MODEL_REFUSED where it names none beside it. */
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

/** The version that a file of known inputs is for is the one that it comes with. */
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

/** A folder's entries. */
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
