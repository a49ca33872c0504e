// The model repository's layout: <model>/model.yaml, <model>/<version>/model.nir. Read by the router and by engines.
//
// A version may have its own model.yaml beside its model.nir, which replaces the model's. Without either, all settings
// have their defaults. A version with a file `.unloaded` beside its model.nir is not served.
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compareNames } from '../core/names.ts';
import { MAX_MANIFEST_BYTES, type Manifest, defaultsOf, parseManifest } from './manifest.ts';
import { readRegularFile } from './regular-file.ts';

export const UNLOADED_MARK = '.unloaded';
const MANIFEST = 'model.yaml';
const VERSION = /^[1-9][0-9]{0,8}$/;

export interface ModelFolder {
  /** The manifest's `name`, else the folder's. */
  readonly name: string;
  readonly version: number;
  /** Folder of the files that the manifest names. */
  readonly path: string;
  /** `<model>/<version>`. */
  readonly versionPath: string;
  /** Text of the manifest; empty: there is none, or it cannot be read. */
  readonly text: string;
  /** Undefined if `error` is set. */
  readonly manifest: Manifest | undefined;
  /** "key value" of each setting that has its default. */
  readonly defaults: readonly string[];
  readonly isUnloaded: boolean;
  /** Why the manifest is invalid, with the key; empty: it is valid. */
  readonly error: string;
}

/**
 * Every version, sorted by name and version, valid or not. If two folders have the same name, the first one is used.
 */
export function listModelFolders(modelsDir: string): ModelFolder[] {
  const found = readdirSync(modelsDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .sort((a, b) => compareNames(a.name, b.name))
    .flatMap(({ name }) => versionsIn(join(modelsDir, name)).map((version) => readFolder(modelsDir, name, version)))
    .sort((a, b) => compareNames(a.name, b.name) || a.version - b.version);
  return found.filter((model, at) => {
    const before = found[at - 1];
    return before?.name !== model.name || before.version !== model.version;
  });
}

/** One version in its current state on disk. */
export function readFolder(modelsDir: string, folder: string, version: number): ModelFolder {
  const versionPath = join(modelsDir, folder, String(version));
  return readVersionFolder(versionPath, join(modelsDir, folder), folder, version);
}

/** `versionPath` may be a temporary path before the version is moved to its final one. */
export function readVersionFolder(
  versionPath: string,
  modelPath: string,
  folder: string,
  version: number,
): ModelFolder {
  const path = isThere(join(versionPath, MANIFEST)) ? versionPath : modelPath;
  const isUnloaded = existsSync(join(versionPath, UNLOADED_MARK));
  const about = { version, path, versionPath, isUnloaded };
  try {
    const file = join(path, MANIFEST);
    const text = isThere(file) ? readRegularFile(file, MAX_MANIFEST_BYTES).toString() : '';
    const manifest = parseManifest(text);
    return { ...about, name: manifest.name ?? folder, text, manifest, defaults: defaultsOf(text), error: '' };
  } catch (thrown) {
    const error = (thrown as Error).message;
    return { ...about, name: folder, text: '', manifest: undefined, defaults: [], error };
  }
}

function versionsIn(path: string): number[] {
  return readdirSync(path)
    .filter((entry) => VERSION.test(entry))
    .map(Number);
}

/** An unreadable manifest is an error; defaults must not be used then. */
function isThere(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}
