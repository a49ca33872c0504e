// The model repository's layout: <model>/model.yaml, <model>/<version>/model.nir. Read by the router and by engines.
//
// A version may have a model.yaml of its own, beside its model.nir, which then takes the place of the model's; without
// either, all settings have their defaults. A version with a file `.unloaded` beside its model.nir is not served.
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
  /** Where the files lie that the manifest names. */
  readonly path: string;
  /** `<model>/<version>`. */
  readonly versionPath: string;
  /** The manifest as it is written; empty: there is none, or it cannot be read. */
  readonly text: string;
  /** Undefined where `error` is set. */
  readonly manifest: Manifest | undefined;
  /** "key value" of each setting that the manifest leaves to its default. */
  readonly defaults: readonly string[];
  readonly isUnloaded: boolean;
  /** Why the manifest cannot be used, naming the key; empty: it can. */
  readonly error: string;
}

/** Every version there is, by name, then version, usable or not. Where two folders give one name, the first serves. */
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

/** One version as it lies there now. */
export function readFolder(modelsDir: string, folder: string, version: number): ModelFolder {
  const versionPath = join(modelsDir, folder, String(version));
  return readVersionFolder(versionPath, join(modelsDir, folder), folder, version);
}

/** `versionPath` may lie elsewhere, as long as it is not in its place yet. */
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

/** Also where it cannot be read: that is an error, and no reason for defaults. */
function isThere(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}
