// Reads the files of a model on this machine for `tandem models add`.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { ManifestError, parseManifest } from '../config/manifest.ts';
import { UsageError } from './usage-error.ts';

export interface ModelFiles {
  readonly name: string;
  readonly nir: Uint8Array;
  /** Undefined: there is none, so all settings have their defaults. */
  readonly manifest: string | undefined;
  readonly labels: string;
  readonly golden: string;
}

/** `manifest`: the given file; else model.yaml beside the NIR file, if it exists. */
export function readModelFiles(file: string, given: { name?: string; manifest?: string }): ModelFiles {
  const nir = read(file);
  const beside = join(dirname(file), 'model.yaml');
  const path = given.manifest ?? (existsSync(beside) ? beside : undefined);
  const manifest = path === undefined ? undefined : read(path).toString();
  const { name, labels, golden } = path === undefined ? {} : settingsOf(path, manifest!);
  const folder = path === undefined ? '' : dirname(path);
  return {
    name: given.name ?? name ?? nameOf(file),
    nir,
    manifest,
    labels: typeof labels === 'string' ? read(join(folder, labels)).toString() : '',
    golden: golden === undefined ? '' : read(join(folder, golden)).toString(),
  };
}

function settingsOf(path: string, text: string): ReturnType<typeof parseManifest> {
  try {
    return parseManifest(text);
  } catch (error) {
    if (error instanceof ManifestError) throw new UsageError(`${path}: ${error.message}`);
    throw error;
  }
}

/** "net.nir" → "net"; in the layout of a repository, "supersense/1/model.nir" → "supersense". */
function nameOf(file: string): string {
  const stem = basename(file, extname(file));
  const folders = resolve(file).split('/').slice(0, -1);
  const isInRepository = stem === 'model' && /^[1-9]\d*$/.test(folders.at(-1) ?? '');
  const name = isInRepository ? folders.at(-2)! : stem;
  return name.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '') || 'model';
}

function read(path: string): Buffer {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new UsageError(`there is no file ${path}`);
  if (!stats.isFile()) throw new UsageError(`${path} is not a regular file`);
  return readFileSync(path);
}
