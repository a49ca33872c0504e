// The model repository's layout: <model>/model.yaml, <model>/<version>/model.nir. Read by the router and by engines.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compareNames } from '../core/names.ts';
import { MAX_MANIFEST_BYTES, type Manifest, parseManifest } from './manifest.ts';
import { readRegularFile } from './regular-file.ts';

export interface ModelFolder {
  /** The manifest's `name`, else the folder's. */
  readonly name: string;
  readonly version: number;
  /** `<model>`, the folder of all its versions. */
  readonly path: string;
  /** Undefined where `error` is set. */
  readonly manifest: Manifest | undefined;
  /** Why the manifest cannot be used, naming the key; empty: it can. */
  readonly error: string;
}

/** Every version there is, by name, then version, usable or not. Where two folders give one name, the first serves. */
export function listModelFolders(modelsDir: string): ModelFolder[] {
  const found = readdirSync(modelsDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .sort((a, b) => compareNames(a.name, b.name))
    .flatMap((entry) => readModel(join(modelsDir, entry.name), entry.name))
    .sort((a, b) => compareNames(a.name, b.name) || a.version - b.version);
  return found.filter((model, at) => {
    const before = found[at - 1];
    return before?.name !== model.name || before.version !== model.version;
  });
}

function readModel(path: string, folder: string): ModelFolder[] {
  const versions = readdirSync(path)
    .filter((entry) => /^[1-9][0-9]{0,8}$/.test(entry))
    .map(Number);
  let manifest: Manifest | undefined;
  let error = '';
  try {
    if (versions.length > 0) {
      manifest = parseManifest(readRegularFile(join(path, 'model.yaml'), MAX_MANIFEST_BYTES).toString());
    }
  } catch (thrown) {
    error = (thrown as Error).message;
  }
  return versions.map((version) => ({ name: manifest?.name ?? folder, version, path, manifest, error }));
}
